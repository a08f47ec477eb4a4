"""A little music for each demo mix, made from its name: chords that fade, in a .wav file."""

import hashlib
import io
import math
import random
import struct
import wave

RATE = 16_000  # samples a second, of 16 bits, one channel
CHORD_SECONDS = 0.5
SCALE = (0, 3, 5, 7, 10)  # half-tones of a minor pentatonic
LOUDEST = 9_000  # of 32,767


def demo_audio(slug: str, *, seconds: float) -> bytes:
    """A whole .wav file. The same name and length give the same file."""
    dice = random.Random(hashlib.sha256(slug.encode()).digest())  # noqa: S311
    root = 110 * 2 ** (dice.randrange(12) / 12)
    file = io.BytesIO()
    with wave.open(file, "wb") as music:
        music.setnchannels(1)
        music.setsampwidth(2)
        music.setframerate(RATE)
        for _ in range(round(seconds / CHORD_SECONDS)):
            music.writeframes(_chord([root * 2 ** (note / 12) for note in dice.sample(SCALE, 3)]))
    return file.getvalue()


def _chord(tones: list[float]) -> bytes:
    length = round(RATE * CHORD_SECONDS)
    samples = (
        LOUDEST
        * (1 - n / length)
        * sum(math.sin(2 * math.pi * tone * n / RATE) for tone in tones)
        / len(tones)
        for n in range(length)
    )
    return struct.pack(f"<{length}h", *(int(each) for each in samples))
