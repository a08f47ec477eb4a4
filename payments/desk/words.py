"""How the desk says money, times and states. Pure; no sentence about one payment here (story.py)."""

from datetime import datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from payments.states import State

NAIROBI = ZoneInfo("Africa/Nairobi")

# unfold's colour and ours for each state
STATE_TONES: dict[str, tuple[str, str]] = {
    State.CREATED: ("info", "info"),
    State.PENDING: ("info", "info"),
    State.UNKNOWN: ("warning", "warn"),
    State.COMPLETED: ("success", "ok"),
    State.FAILED: ("danger", "bad"),
    State.EXPIRED: ("danger", "bad"),
}


def kes(amount: int | Decimal) -> str:
    """`KES 1,500`; `KES 30.50` where a statement has cents."""
    whole = int(amount)
    return f"KES {whole:,}" if whole == amount else f"KES {amount:,.2f}"


def moment(at: datetime) -> str:
    """Nairobi time to the second: staff compare it with the message on a phone."""
    return f"{at.astimezone(NAIROBI):%-d %b %Y, %H:%M:%S}"


def on_one_line(text: str) -> str:
    """For a narrow column: it is not broken into lines."""
    return text.replace(" ", "\N{NO-BREAK SPACE}")


def span(time: timedelta) -> str:
    """`9 seconds`, `4 minutes`, `3 hours`, `2 days`: as a person would say it."""
    seconds = max(0, int(time.total_seconds()))
    for size, name in ((86_400, "day"), (3600, "hour"), (60, "minute")):
        if (
            seconds >= 2 * size
            or (name != "minute" and seconds >= size)
            or (name == "minute" and seconds > 90)
        ):
            return _counted(round(seconds / size), name)
    return _counted(seconds, "second")


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
