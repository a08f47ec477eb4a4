"""Covers: the same slug draws the same picture, and no title can break it."""

from xml.etree import ElementTree

import pytest

from orders.covers import ACCENTS, SIZE, draw_cover

SVG = "{http://www.w3.org/2000/svg}"
SLUGS = [f"mix-{number}" for number in range(60)]


def letters(svg: str) -> str:
    spans = ElementTree.fromstring(svg).iter(f"{SVG}tspan")
    return " ".join(span.text or "" for span in spans)


def test_the_same_mix_has_the_same_cover():
    first, second = (draw_cover(slug="love-songs", title="Love Songs") for _ in range(2))
    assert first == second


def test_two_mixes_of_one_title_differ():
    assert draw_cover(slug="love-songs", title="Love") != draw_cover(slug="love-songs-2", title="Love")


def test_every_cover_is_a_small_square_picture_with_a_name():
    for slug in SLUGS:
        svg = draw_cover(slug=slug, title="Nairobi Nights")
        root = ElementTree.fromstring(svg)
        assert root.get("viewBox") == f"0 0 {SIZE} {SIZE}"
        assert (root.get("role"), root.get("aria-label")) == ("img", "Nairobi Nights")
        assert len(svg.encode()) < 8_000


def test_covers_use_every_accent():
    covers = [draw_cover(slug=slug, title="x") for slug in SLUGS]
    assert all(any(accent in cover for cover in covers) for accent in ACCENTS)


@pytest.mark.parametrize(
    "title",
    [
        '</svg><script>alert("x")</script>',
        'Rock & Roll\'s "Best" <1990>',
        "a\x00b\x0bc\ud800",
        "",
        "   ",
        "🎧 Amapiano",
    ],
)
def test_no_title_breaks_the_picture(title: str):
    root = ElementTree.fromstring(draw_cover(slug="odd", title=title).encode())
    assert not list(root.iter(f"{SVG}script"))
    assert root.get("aria-label")


def test_the_title_is_written_whole_where_it_fits():
    title = "Sunset Over Ngong Hills: Afro House Sessions"
    assert letters(draw_cover(slug="sunset", title=title)) == title


def test_a_title_too_long_for_three_lines_ends_in_an_ellipsis():
    written = letters(draw_cover(slug="long", title="Extraordinary " * 12))
    assert written.endswith("…")


def test_a_strict_content_policy_has_nothing_to_block():
    for slug in SLUGS:
        svg = draw_cover(slug=slug, title="Kwaito")
        assert " style=" not in svg
        assert "<style" not in svg
        assert "href" not in svg
