"""A cover for every mix, drawn from its slug. Only drawing: the same slug and title give the same picture."""

import hashlib
import math
import random
import re
import textwrap
from collections.abc import Callable
from xml.sax.saxutils import escape, quoteattr

SIZE = 600  # the side of the square, in SVG units; the largest it is ever shown at
GROUND = 470  # where the skyline stands and the title's shade begins
MAX_LINES = 3
TITLE_WIDTH = 520
LETTER_WIDTH = 0.64  # of the font size, for bold system fonts: a little generous, so nothing is cut

NIGHTS = ("#14121c", "#101820", "#1a1216", "#0f1a18", "#181410", "#12141f")
ACCENTS = ("#ffd700", "#ff7a59", "#2ec4b6", "#b58cff", "#4cc9f0", "#ff5d8f", "#9be564", "#ff9f1c")
GOLD = "#ffd700"
FONTS = "system-ui,Roboto,sans-serif"
NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def draw_cover(*, slug: str, title: str) -> str:
    """A square SVG document. Any title will do: it is escaped, wrapped, and cut after three lines."""
    dice = random.Random(hashlib.sha256(slug.encode("utf-8", "replace")).digest())  # noqa: S311
    accent, night = dice.choice(ACCENTS), dice.choice(NIGHTS)
    motif = dice.choice(MOTIFS)
    words = " ".join(NOT_XML.sub("", title).split()) or "DJ Kraph"
    return "".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" role="img"',
            f" aria-label={quoteattr(words)}>",
            _sky(dice, accent, night),
            motif(dice, accent),
            _shade(),
            _imprint(accent),
            _lettering(words),
            "</svg>",
        )
    )


def _sky(dice: random.Random, accent: str, night: str) -> str:
    """Night, a glow of the mix's own colour somewhere high, and a few stars."""
    stars = "".join(
        f'<circle cx="{dice.randrange(SIZE)}" cy="{dice.randrange(300)}" r="{dice.choice((1, 1.5, 2))}"/>'
        for _ in range(18)
    )
    return (
        f'<defs><radialGradient id="g" cx="{dice.randint(25, 75)}%" cy="{dice.randint(20, 45)}%" r="75%">'
        f'<stop offset="0" stop-color="{accent}" stop-opacity=".42"/>'
        f'<stop offset="1" stop-color="{accent}" stop-opacity="0"/></radialGradient>'
        '<linearGradient id="s" x1="0" y1="0" x2="0" y2="1">'
        '<stop offset="0" stop-color="#0b0b0d" stop-opacity="0"/>'
        '<stop offset=".45" stop-color="#0b0b0d" stop-opacity=".88"/><stop offset="1" stop-color="#0b0b0d"/>'
        "</linearGradient></defs>"
        f'<path fill="{night}" d="M0 0h{SIZE}v{SIZE}H0z"/><path fill="url(#g)" d="M0 0h{SIZE}v{SIZE}H0z"/>'
        f'<g fill="#fff" opacity=".5">{stars}</g>'
    )


def _vinyl(dice: random.Random, accent: str) -> str:
    """A record with its grooves, half out of the picture, and the arm on it."""
    x, y, radius = dice.randint(210, 390), dice.randint(215, 260), dice.randint(190, 225)
    grooves = "".join(
        f'<circle r="{r}" stroke-opacity="{0.55 if r % 3 else 0.2}"/>' for r in range(88, radius - 6, 13)
    )
    turn = dice.randint(0, 179)
    return (
        f'<g transform="translate({x} {y})"><circle r="{radius}" fill="#0a0a0b"/>'
        f'<g fill="none" stroke="#4a4a50" stroke-width="1.5">{grooves}</g>'
        f'<g transform="rotate({turn})" fill="#fff" opacity=".07">'
        f'<path d="M0 0L{radius} -34V34zM0 0L-{radius} -34V34z"/></g>'
        f'<circle r="74" fill="{accent}"/><circle r="58" fill="none" stroke="#0a0a0b" stroke-opacity=".35"/>'
        '<circle r="9" fill="#0a0a0b"/></g>'
        f'<g fill="none" stroke="{GOLD}" stroke-width="9" stroke-linecap="round">'
        f'<path d="M548 66L{x + 168} {y + 70}L{x + 104} {y + 104}"/></g>'
        f'<circle cx="548" cy="66" r="24" fill="{GOLD}"/>'
    )


def _wave(dice: random.Random, accent: str) -> str:
    """A sound wave across the picture, a moon behind it."""
    phase, swell = dice.uniform(0, math.tau), dice.uniform(1.5, 3.5)
    bars = []
    for index in range(31):
        envelope = math.sin(math.pi * (index + 0.5) / 31)
        height = 14 + envelope * (70 + 95 * abs(math.sin(phase + index * swell / 5)) * dice.uniform(0.5, 1))
        bars.append(f'<path d="M{30 + index * 18} {250 - height:.0f}v{2 * height:.0f}"/>')
    moon_x, moon_y = dice.randint(150, 450), dice.randint(150, 230)
    return (
        f'<circle cx="{moon_x}" cy="{moon_y}" r="{dice.randint(90, 130)}" fill="{accent}" opacity=".28"/>'
        f'<g stroke="{accent}" stroke-width="9" stroke-linecap="round">{"".join(bars)}</g>'
        f'<path d="M22 250h556" stroke="{GOLD}" stroke-width="2" opacity=".8"/>'
    )


def _skyline(dice: random.Random, accent: str) -> str:
    """Nairobi at night: blocks with lit windows, and the round tower with its saucer."""
    blocks, windows, x = [], [], -10
    while x < SIZE:
        width, height = dice.randint(44, 86), dice.randint(90, 270)
        blocks.append(f"M{x} {GROUND + 20}v-{height + 20}h{width}v{height + 20}z")
        windows += [
            f"M{wx} {wy}h8v12h-8z"
            for wx in range(x + 9, x + width - 12, 18)
            for wy in range(GROUND - height + 14, GROUND - 30, 34)
            if dice.random() < 0.3
        ]
        x += width + dice.choice((0, 5, 12))
    tower = dice.randint(150, 430)
    return (
        f'<circle cx="{dice.randint(120, 480)}" cy="150" r="{dice.randint(56, 84)}" fill="{accent}"/>'
        f'<path fill="#0c0c10" d="{"".join(blocks)}"/>'
        f'<path fill="{GOLD}" opacity=".75" d="{"".join(windows)}"/>'
        f'<g transform="translate({tower} 0)" fill="#050507">'
        f'<path d="M-30 {GROUND + 20}V170h60v{GROUND - 150}zM-58 170l16-22h84l16 22zM-3 148V84h6v64z"/>'
        f'<path fill="{accent}" d="M-58 170h116v5H-58z"/>'
        f'<path stroke="{accent}" stroke-width="3" d="M-30 207h60M-30 242h60M-30 277h60"/></g>'
    )


def _rings(dice: random.Random, accent: str) -> str:
    """A speaker seen from the front, sending rings over the city of dots."""
    x, y = dice.randint(220, 380), dice.randint(200, 250)
    dashes = [dice.choice(("", "2 16", "40 14", "120 30")) for _ in range(7)]
    rings = "".join(
        f'<circle r="{76 + 30 * index}" stroke-width="{9 - index}" opacity="{1 - index * 0.12:.2f}"'
        f"{f' stroke-dasharray={quoteattr(dash)}' if dash else ''}"
        f' transform="rotate({dice.randrange(360)})"/>'
        for index, dash in enumerate(dashes)
    )
    return (
        f'<g transform="translate({x} {y})">'
        f'<g fill="none" stroke="{accent}" stroke-linecap="round">{rings}</g>'
        f'<circle r="56" fill="#0a0a0b" stroke="{GOLD}" stroke-width="6"/><circle r="20" fill="{GOLD}"/></g>'
    )


MOTIFS: tuple[Callable[[random.Random, str], str], ...] = (_vinyl, _wave, _skyline, _rings)


def _shade() -> str:
    return f'<path fill="url(#s)" d="M0 330h{SIZE}v270H0z"/>'


def _imprint(accent: str) -> str:
    return (
        f'<path fill="{accent}" d="M40 44h6v22h-6zM52 36h6v30h-6zM64 50h6v16h-6z"/>'
        f'<text x="84" y="64" fill="#fff" font-family="{FONTS}" font-size="24" font-weight="700"'
        ' letter-spacing="5">DJ KRAPH</text>'
    )


def _lettering(words: str) -> str:
    """The title at the foot of the picture, as large as three lines allow."""
    for size in (58, 50, 42, 36):
        lines = textwrap.wrap(words, width=int(TITLE_WIDTH / (size * LETTER_WIDTH)))
        if len(lines) <= MAX_LINES:
            break
    else:
        lines = [*lines[: MAX_LINES - 1], lines[MAX_LINES - 1][:-1] + "…"]
    step = round(size * 1.12)
    top = 562 - step * (len(lines) - 1)
    spans = "".join(
        f'<tspan x="40" y="{top + step * row}">{escape(line)}</tspan>' for row, line in enumerate(lines)
    )
    return f'<text fill="#fff" font-family="{FONTS}" font-size="{size}" font-weight="800">{spans}</text>'
