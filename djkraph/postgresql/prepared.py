"""A statement to prepare."""


class Prepared(str):
    """SQL that each connection prepares the first time, and then only binds and runs. Its plan is made for any values:
    right for rows by their keys and for new rows, wrong for what an index finds for some values only."""

    __slots__ = ()
