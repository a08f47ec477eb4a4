"""What a file of music is, as its bytes say: never as its name does."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO

import mutagen

# by mutagen's name of what it found: how the file ends, its content type
KINDS = {
    "MP3": (".mp3", "audio/mpeg"),
    "MP4": (".m4a", "audio/mp4"),
    "FLAC": (".flac", "audio/flac"),
    "OggVorbis": (".ogg", "audio/ogg"),
    "OggOpus": (".opus", "audio/ogg"),
    "WAVE": (".wav", "audio/wav"),
}
TYPES = dict(KINDS.values())
READ_AT_ONCE = 1_048_576  # bytes
NOT_IN_NAMES = re.compile(r"[^\w .,'&()-]+")  # of a file, on any phone


class NotMusic(ValueError):
    """Why a file can't be sold, in words for staff."""


@dataclass(frozen=True, kw_only=True)
class Music:
    """`size`: bytes. `suffix`: with its dot."""

    suffix: str
    seconds: int
    size: int
    sha256: str


def read_music(file: BinaryIO) -> Music:
    """Reads all of it. Raises NotMusic."""
    file.seek(0)
    try:
        found: Any = mutagen.File(file)
    except (mutagen.MutagenError, EOFError, ValueError, KeyError, IndexError) as bad:
        raise NotMusic("This file can't be read as music: it may be cut short. Export it again.") from bad
    suffix, _ = KINDS.get(type(found).__name__, ("", ""))
    if not suffix:
        raise NotMusic("This is no .mp3, .m4a, .flac, .ogg, .opus or .wav file, whatever its name says.")
    seconds = int(getattr(found.info, "length", 0) or 0)
    if seconds < 1:
        raise NotMusic("There is no sound in this file, or less than a second of it.")
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := file.read(READ_AT_ONCE):
        digest.update(piece)
        size += len(piece)
    file.seek(0)
    return Music(suffix=suffix, seconds=seconds, size=size, sha256=digest.hexdigest())


def kind_of(name: str | None) -> str:
    """The content type of a file of ours."""
    return TYPES.get(PurePath(name or "").suffix, "application/octet-stream")


def name_for(title: str, name: str | None) -> str:
    """What a buyer's phone saves it as."""
    plain = " ".join(NOT_IN_NAMES.sub(" ", title).split()) or "Mix"
    return f"DJ Kraph - {plain}{PurePath(name or '').suffix}"
