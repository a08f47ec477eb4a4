"""The web starts only where the checks tagged `starting` find nothing, as every command does by itself."""

from django.core.checks import run_checks

TAG = "starting"


def refuse_what_is_unsafe() -> None:
    """Ends the process with a line for each finding. Needs Django set up."""
    if found := run_checks(tags=[TAG]):
        raise SystemExit("\n".join(str(each.msg) for each in found))
