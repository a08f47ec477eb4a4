"""Reads the catalogue that the merchant's page keeps in its browser: a JSON list of mixes, each with `id, title,
artist, image, price` (KSh), `description, genre, bpm, duration` ("m:ss"), `trackList, audioUrl, fileName, fileType,
dateAdded`. Pure: no row is read or written here."""

import base64
import binascii
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import ceil
from typing import Any

LARGEST = 50 * 2**20  # bytes of the file
MOST = 5_000  # mixes
NAMED = 20  # mistakes, and mixes without music: the rest are counted
DURATION = re.compile(r"(?:(\d{1,2}):)?(\d{1,3}):([0-5]\d)", re.ASCII)
AUDIO_INSIDE = re.compile(r"data:audio/[\w.+-]+;base64,(?P<content>[A-Za-z0-9+/=\s]+)", re.ASCII)


class Unreadable(ValueError):
    """What is wrong with the file, a sentence for each thing."""

    def __init__(self, wrong: list[str]) -> None:
        super().__init__("\n".join(wrong))
        self.wrong = wrong


class _Wrong(ValueError):
    """What is wrong with one mix, to be said after its name."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One mix as the file has it. `audio`: where its music stands in the file itself; None: it must be uploaded."""

    source_id: str
    title: str
    artist: str
    blurb: str
    genre: str
    minutes: int
    price_kes: int
    track_list: str
    audio: bytes | None


@dataclass(frozen=True, kw_only=True)
class Imported:
    """Titles: of mixes that are new; that were there already, and stayed as staff have them; that lack their music."""

    new: list[str]
    known: list[str]
    without_audio: list[str]


def read_catalogue(content: bytes, *, most_kes: int) -> list[Entry]:
    """Raises Unreadable: then nothing of it should be taken."""
    if len(content) > LARGEST:
        raise Unreadable([f"The file has more than {LARGEST // 2**20} MB."])
    try:
        told = json.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as bad:
        raise Unreadable(
            ["The file is not readable JSON. Save what your page keeps once more, as it is."]
        ) from bad
    if isinstance(told, dict) and len(told) == 1:  # {"mixes": [...]}
        (told,) = told.values()
    if not isinstance(told, list) or not told:
        raise Unreadable(["The file must be a list of mixes, with at least one in it."])
    if len(told) > MOST:
        raise Unreadable([f"The file has {len(told):,} mixes; {MOST:,} at a time are the most."])
    entries: list[Entry] = []
    wrong: list[str] = []
    for number, each in enumerate(told, start=1):
        try:
            entries.append(_entry(each, most_kes=most_kes))
        except _Wrong as bad:
            wrong.append(f"Mix {number}{_named(each)}: {bad}")
    ids = [entry.source_id for entry in entries]
    wrong += [
        f"The id {twice} stands there more than once."
        for twice in sorted({i for i in ids if ids.count(i) > 1})
    ]
    if wrong:
        raise Unreadable(wrong)
    return entries


def _named(told: Any) -> str:
    title = told.get("title") if isinstance(told, Mapping) else None
    return f" ({title[:40]})" if isinstance(title, str) and title.strip() else ""


def _entry(told: Any, *, most_kes: int) -> Entry:
    if not isinstance(told, Mapping):
        raise _Wrong("it must be an object with a title and a price.")
    title = _text(told, "title", 80)
    if not title:
        raise _Wrong("it has no title.")
    return Entry(
        source_id=_id(told.get("id")) or f"title:{title.lower()}",
        title=title,
        artist=_text(told, "artist", 80),
        blurb=_text(told, "description", 200),
        genre=_text(told, "genre", 40),
        minutes=_minutes(told.get("duration")),
        price_kes=_price(told.get("price"), most_kes=most_kes),
        track_list=_tracks(told.get("trackList")),
        audio=_audio(told.get("audioUrl")),
    )


def _id(told: Any) -> str:
    return str(told).strip()[:90] if isinstance(told, str | int) and not isinstance(told, bool) else ""


def _text(told: Mapping[str, Any], name: str, most: int) -> str:
    """On one line, cut to what there is room for."""
    value = told.get(name)
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise _Wrong(f"its {name} must be text.")
    line = " ".join(str(value).replace("\x00", " ").split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def _price(told: Any, *, most_kes: int) -> int:
    plain = re.sub(r"(?i)^\s*(?:ksh|kes)\.?\s*|[,\s]", "", told) if isinstance(told, str) else told
    if isinstance(plain, str | int | float) and not isinstance(plain, bool):
        try:
            price = Decimal(str(plain))
        except InvalidOperation:
            price = Decimal(0)
        if price.is_finite() and price == price.to_integral_value() and 1 <= price <= most_kes:
            return int(price)
    raise _Wrong(f"its price must be whole shillings from 1 to {most_kes:,}, and is {str(told)[:20]!r}.")


def _minutes(told: Any) -> int:
    if told in (None, ""):
        return 0
    found = DURATION.fullmatch(told.strip()) if isinstance(told, str) else None
    if found is None:
        raise _Wrong(f"its duration must be minutes and seconds like 62:30, and is {str(told)[:20]!r}.")
    hours, minutes, seconds = (int(each or 0) for each in found.groups())
    return min(32_767, max(1, ceil(hours * 60 + minutes + seconds / 60)))


def _tracks(told: Any) -> str:
    lines = told.splitlines() if isinstance(told, str) else told if isinstance(told, list) else []
    told_of = [each.get("title", "") if isinstance(each, Mapping) else each for each in lines]
    return "\n".join(
        " ".join(str(line).replace("\x00", " ").split()) for line in told_of if str(line).strip()
    )[:10_000]


def _audio(told: Any) -> bytes | None:
    """A page that keeps its files in the browser may have written the music into the address."""
    found = AUDIO_INSIDE.fullmatch(told.strip()) if isinstance(told, str) else None
    if found is None:
        return None
    try:
        return base64.b64decode("".join(found["content"].split()), validate=True)
    except binascii.Error:
        return None


def in_words(done: Imported) -> list[str]:
    """For a terminal and for the desk."""
    lines = [
        f"{len(done.new):,} new on the shelf; {len(done.known):,} were there already and stay as they are."
    ]
    if done.without_audio:
        lines.append(f"{len(done.without_audio):,} still lack their music; upload it under Mixes:")
        lines += [f"  {title}" for title in some(done.without_audio)]
    return lines


def some(lines: list[str]) -> list[str]:
    left = len(lines) - NAMED
    return lines if left <= 0 else [*lines[:NAMED], f"… and {left:,} more."]
