"""How the files that pages load are named: after `collectstatic` by their content, before it (the demo, tests) as they
lie in the source."""

from django.conf import settings
from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticFiles(CompressedManifestStaticFilesStorage):
    """A name without a hash leads to its file too: the pages of other sites load our script by it."""

    manifest_strict = False

    def stored_name(self, name: str) -> str:
        if not settings.STATIC_FILES_ARE_BUILT:
            return name
        stored: str = super().stored_name(name)
        return stored
