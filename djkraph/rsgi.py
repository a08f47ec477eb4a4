"""What granian serves: Django behind the door."""

import os

from django.core.wsgi import get_wsgi_application

from djkraph.starting import refuse_what_is_unsafe

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "djkraph.settings")

django_application = get_wsgi_application()
refuse_what_is_unsafe()

from django.conf import settings  # noqa: E402 — they are read by now

from djkraph.door import Door, Sizes  # noqa: E402

application = Door(django_application, Sizes.of(settings.WEB_THREADS, pushes=settings.PUSHES_IN_FLIGHT))
