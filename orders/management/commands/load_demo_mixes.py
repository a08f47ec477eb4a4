"""Puts eight demo mixes on the shelf, with a little music each. Mixes that are there already keep what staff made of
them."""

from typing import Any

from django.core.management.base import BaseCommand

from orders.demo_audio import demo_audio
from orders.models import Mix
from orders.services import keep_file

MIX_SECONDS, PREVIEW_SECONDS = 8.0, 3.0

# slug, title, blurb, genre, minutes, KES
DEMO_MIXES = (
    (
        "nairobi-after-dark",
        "Nairobi After Dark",
        "Slow-burning afro house for the ride home.",
        "Afro house",
        74,
        1500,
    ),
    ("love-songs-vol-1", "Love Songs, Vol. 1", "Zouk, R&B and old Bongo for two.", "Slow jams", 62, 1000),
    ("gengetone-heat", "Gengetone Heat", "No skips, no slow songs, no apologies.", "Gengetone", 48, 800),
    (
        "amapiano-sunrise",
        "Amapiano Sunrise",
        "Log drums from three till the birds start.",
        "Amapiano",
        90,
        2000,
    ),
    ("riddim-and-rain", "Riddim & Rain", "Lovers rock for a wet Sunday in July.", "Reggae", 66, 1200),
    ("benga-gold", "Benga Gold", "The guitars our fathers danced to, cleaned and cut.", "Benga", 58, 900),
    ("matatu-anthems", "Matatu Anthems", "Route 23 with the lights on.", "Hip hop", 55, 700),
    (
        "wedding-floor",
        "The Wedding Floor",
        "Three generations, one dance floor, four hours.",
        "Party",
        240,
        3500,
    ),
)


class Command(BaseCommand):
    help = __doc__

    def handle(self, *_args: Any, **_options: Any) -> None:
        made = 0
        for slug, title, blurb, genre, minutes, price_kes in DEMO_MIXES:
            about = {
                "title": title,
                "blurb": blurb,
                "genre": genre,
                "minutes": minutes,
                "price_kes": price_kes,
            }
            mix, is_new = Mix.objects.get_or_create(slug=slug, defaults=about)
            made += is_new
            for field, seconds in (("audio", MIX_SECONDS), ("preview", PREVIEW_SECONDS)):
                if not getattr(mix, field):
                    keep_file(mix, field, demo_audio(slug, seconds=seconds))
        self.stdout.write(f"{made} demo mixes added; {Mix.objects.count()} on the shelf.")
