"""Which piece of a file is asked for, against what any piece must be, and the table of RFC 9110's examples."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.delivery.ranges import OutOfFile, Piece, names, piece_asked_for


@pytest.mark.parametrize(
    ("header", "piece"),
    [
        ("bytes=0-499", Piece(0, 500)),
        ("bytes=500-999", Piece(500, 1000)),
        ("bytes=-500", Piece(500, 1000)),
        ("bytes=9-", Piece(9, 1000)),
        ("bytes=0-0", Piece(0, 1)),
        ("bytes=-1", Piece(999, 1000)),
        ("bytes=-5000", Piece(0, 1000)),
        ("bytes=0-99999", Piece(0, 1000)),
        ("BYTES = 1 - 2", Piece(1, 3)),
        ("", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("bytes=5-4", None),
        ("bytes=a-b", None),
        ("bytes=1-2-3", None),
        ("bytes=+1-2", None),
        ("bytes=٣-٤", None),
        ("items=0-1", None),
        ("bytes=" + "9" * 40 + "-", None),
    ],
)
def test_a_thousand_bytes(header: str, piece: Piece | None) -> None:
    assert piece_asked_for(header, size=1000) == piece


@pytest.mark.parametrize("header", ["bytes=1000-", "bytes=1000-2000", "bytes=-0", "bytes=999999999999999-"])
def test_what_lies_behind_the_file_is_out_of_it(header: str) -> None:
    with pytest.raises(OutOfFile):
        piece_asked_for(header, size=1000)


@given(
    st.text(max_size=30) | st.from_regex(r"bytes=[0-9]{0,4}-[0-9]{0,4}", fullmatch=True), st.integers(0, 2000)
)
def test_any_piece_lies_in_the_file(header: str, size: int) -> None:
    try:
        piece = piece_asked_for(header, size=size)
    except OutOfFile:
        return
    assert piece is None or 0 <= piece.start < piece.end <= size


def test_a_tag_is_found_among_others() -> None:
    assert names('"a", "b"', '"b"')
    assert not names('W/"b"', '"b"')
    assert names('W/"b"', '"b"', weakly=True)
    assert names("*", '"b"')
    assert not names("", '"b"')
