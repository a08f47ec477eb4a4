"""How Django writes times where the desk's own words (payments/desk/words.py) don't: the same way, in Nairobi time, to
the second, because staff compare them with the message on a phone."""

DATE_FORMAT = "j M Y"
TIME_FORMAT = "H:i:s"
DATETIME_FORMAT = "j M Y, H:i:s"
