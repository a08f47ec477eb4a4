"""Mixes with files, and orders that are paid, for tests of what buyers download."""

from django.utils import timezone

from orders.demo_audio import demo_audio
from orders.models import Mix, Order
from orders.services import keep_file, place_order, receive


def wav(slug: str = "mix", seconds: float = 2.0) -> bytes:
    return demo_audio(slug, seconds=seconds)


def mix_with_music(slug: str = "nairobi", title: str = "Nairobi After Dark", price: int = 1500) -> Mix:
    mix = Mix.objects.create(slug=slug, title=title, minutes=60, price_kes=price)
    for field, content in (("audio", wav(slug)), ("preview", wav(slug, 1.0))):
        keep_file(mix, field, content)
    return mix


def paid(*mixes: Mix) -> Order:
    order = ordered(*mixes)
    receive(order.id, cents=100 * order.total_kes, at=timezone.now())
    order.refresh_from_db()
    return order


def ordered(*mixes: Mix) -> Order:
    return place_order(mix_slugs=[mix.slug for mix in mixes], now=timezone.now())
