"""The WSGI door: what granian serves. No behaviour here."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "djkraph.settings")

application = get_wsgi_application()
