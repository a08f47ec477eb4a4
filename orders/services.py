"""The only writers of orders. Views, admin and payments call these; nothing here knows how money arrives."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from io import BytesIO
from itertools import chain, count
from typing import Any

from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Concat
from django.utils.text import slugify

from djkraph import sql
from djkraph.erasing import Erasable
from orders.catalogue import Entry, Imported
from orders.codes import new_code, new_token
from orders.delivery.audio import Music, NotMusic, read_music
from orders.models import MAX_TOTAL_KES, Mix, Order, OrderItem
from orders.sums import CENTS, Stands

CODES_DRAWN = 5


class OrderRefused(ValueError):
    """The order can't be placed as asked; the message says why, in the buyer's words."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


def place_order(*, mix_slugs: Sequence[str], now: datetime, email: str = "") -> Order:
    """An order for these mixes at today's prices from the database. Raises OrderRefused."""
    slugs = list(dict.fromkeys(mix_slugs))
    mixes = {mix.slug: mix for mix in Mix.objects.filter(slug__in=slugs, on_sale=True)}
    missing = [slug for slug in slugs if slug not in mixes]
    if not slugs:
        raise OrderRefused("The cart is empty.", code="empty_cart")
    if missing:
        raise OrderRefused(f"No longer sold: {', '.join(missing)}. Take it out of the cart.", code="not_sold")
    total = sum(mixes[slug].price_kes for slug in slugs)
    if total > MAX_TOTAL_KES:
        raise OrderRefused(
            f"One payment can be at most KES {MAX_TOTAL_KES:,}. Please order in two parts.",
            code="total_too_high",
        )
    for _ in range(CODES_DRAWN):
        with suppress(IntegrityError), transaction.atomic(durable=True):  # the code was taken: draw another
            return _insert_with_items(total, [mixes[slug] for slug in slugs], email=email, now=now)
    raise RuntimeError("No free order code was found.")


def name_of_file(slug: str, music: Music) -> str:
    """What a mix's file is called with us: another content is another file."""
    return f"{slug}-{music.sha256[:12]}{music.suffix}"


def note_file(mix: Mix, field: str, music: Music | None) -> None:
    """What is known of the file in `audio` or `preview`. None: there is none. The caller saves the mix."""
    setattr(mix, f"{field}_bytes", music.size if music else 0)
    setattr(mix, f"{field}_sha256", music.sha256 if music else "")
    if field == "audio":
        mix.audio_seconds = music.seconds if music else 0


def keep_file(mix: Mix, field: str, content: bytes) -> None:
    """Puts this into `audio` or `preview`, and saves the mix. Raises NotMusic."""
    music = read_music(BytesIO(content))
    note_file(mix, field, music)
    getattr(mix, field).save(name_of_file(mix.slug, music), ContentFile(content))


def import_mixes(entries: Sequence[Entry]) -> Imported:
    """Puts on the shelf what is not there yet, all or nothing. A mix is known by its id in the file; one that staff
    made themselves, by its title."""
    new: list[str] = []
    known: list[str] = []
    mixes: list[tuple[Mix, bytes | None]] = []
    with transaction.atomic():
        for entry in entries:
            made_here = Q(source_id=None, title__iexact=entry.title)
            found = (
                Mix.objects.filter(Q(source_id=entry.source_id) | made_here)
                .order_by(F("source_id").asc(nulls_last=True), "id")
                .first()
            )
            (new if found is None else known).append(entry.title)
            mix = found or Mix(slug=_free_slug(entry.title), **_facts_of(entry))
            if not mix.source_id:
                mix.source_id = entry.source_id
                mix.save()
            mixes.append((mix, entry.audio))
    for mix, content in mixes:
        if content and not mix.audio:
            with suppress(NotMusic):
                keep_file(mix, "audio", content)
    return Imported(new=new, known=known, without_audio=[mix.title for mix, _ in mixes if not mix.audio])


def _facts_of(entry: Entry) -> dict[str, Any]:
    names = ("title", "artist", "blurb", "genre", "minutes", "price_kes", "track_list")
    return {name: getattr(entry, name) for name in names}


def _free_slug(title: str) -> str:
    stem = slugify(title)[:50].strip("-") or "mix"
    taken = set(Mix.objects.filter(slug__startswith=stem).values_list("slug", flat=True))
    return next(slug for slug in chain([stem], (f"{stem}-{n}" for n in count(2))) if slug not in taken)


def place_unpriced_order(*, client_reference: str, amount_kes: int, now: datetime) -> Order:
    """The order under a reference that the merchant's own page made, at its first use, in the caller's transaction.

    One reference is one order, until that ends unpaid or gives it up for another amount (`release_reference`): that
    is what keeps a repeated request from being a second purchase. Raises IntegrityError where it stands for one
    already (the caller's transaction is over then: decide anew).
    """
    return _insert(
        total_kes=amount_kes, is_priced=False, client_reference=client_reference, email="", now=now
    )


def release_reference(order: Order) -> None:
    """An unpriced order that nothing came for gives up its reference, in the caller's transaction: the page that made
    it asks anew, and gets another order. This one keeps its code and its total: money that comes late finds it."""
    given_up = f"{(order.client_reference or '')[:70]} (until {order.code})"
    sql.update(Order, {"client_reference": given_up}, where={"id": order.id, "is_priced": False})


def renew_links(order_id: int) -> None:
    """Its download links open nothing from now on; its page has new ones."""
    sql.update(Order, {}, add={"link_round": 1}, where={"id": order_id})


def lock_order(order_id: int) -> Order:
    """The order as it is now, held until the caller's transaction ends. (SQLite has one writer anyway.)"""
    return Order.objects.select_for_update(no_key=True).get(id=order_id)


def receive(order_id: int, *, cents: int, at: datetime, waives_rest: bool = False) -> int | None:
    """Money came for the order: how much of it is more than the order costs. None: the order takes no money any more,
    and nothing was written. `waives_rest`: a person accepts less.

    Runs inside the ledger's transaction, so that the order is paid together with the payment or not at all.
    """
    if sql.update(Order, _paid(at), where=_costs_exactly(order_id, cents), add={"received_cents": cents}):
        return 0
    order = lock_order(order_id)
    if order.state == Order.State.PAID:
        _write_sums(order, received=cents, at=at)
        return cents
    if order.state != Order.State.OPEN:
        return None
    owed = order.sums.owed
    waived = max(0, owed - cents) if waives_rest else 0
    _write_sums(order, received=cents, waived=waived, at=at)
    return max(0, cents - owed)


def give_back(order_id: int, *, cents: int, at: datetime) -> None:
    """Money of the order is to be sent back: it is no longer the order's. Inside the ledger's transaction."""
    _write_sums(lock_order(order_id), returned=cents, at=at)


def undo(order_id: int, *, received: int = 0, returned: int = 0, at: datetime) -> None:
    """What was booked for it wrongly is taken back, in cents; where money was not there, nobody accepted less either.
    Inside the ledger's transaction."""
    order = lock_order(order_id)
    waived = order.waived_cents if received else 0
    _write_sums(order, received=-received, returned=-returned, waived=-waived, at=at)


def waive_rest(order_id: int, *, at: datetime) -> int:
    """A person accepts less than the order costs: what is missing, in cents. Inside the ledger's transaction."""
    order = lock_order(order_id)
    missing = order.sums.owed
    _write_sums(order, waived=missing, at=at)
    return missing


def _paid(at: datetime) -> dict[str, Any]:
    return {"state": Order.State.PAID, "paid_at": at}


def _costs_exactly(order_id: int, cents: int) -> dict[str, Any]:
    """The order as nearly every one is when its money comes: one statement pays it."""
    return {
        "id": order_id,
        "state": Order.State.OPEN,
        "total_kes": cents // CENTS if cents % CENTS == 0 else -1,
        "received_cents": 0,
        "returned_cents": 0,
        "waived_cents": 0,
    }


def _write_sums(order: Order, *, at: datetime, received: int = 0, returned: int = 0, waived: int = 0) -> None:
    """The order is locked. What its new sums make of it, is written with them."""
    was = order.state
    order.received_cents += received
    order.returned_cents += returned
    order.waived_cents += waived
    order.state = order.sums.stands(Stands(was)).value
    if order.state != was:
        order.paid_at = None if order.state == Order.State.OPEN else order.paid_at or at
    order.save(update_fields=["received_cents", "returned_cents", "waived_cents", "state", "paid_at"])


def _insert_with_items(total_kes: int, mixes: list[Mix], *, email: str, now: datetime) -> Order:
    order = _insert(total_kes=total_kes, is_priced=True, client_reference=None, email=email, now=now)
    OrderItem.objects.bulk_create(
        OrderItem(order=order, mix=mix, title=mix.title, price_kes=mix.price_kes) for mix in mixes
    )
    return order


def _insert(
    *, total_kes: int, is_priced: bool, client_reference: str | None, email: str, now: datetime
) -> Order:
    """An order row under a fresh code. Raises IntegrityError where the code (one of 24**8) is taken."""
    values = {
        "code": new_code(),
        "token": new_token(),
        "client_reference": client_reference,
        "total_kes": total_kes,
        "is_priced": is_priced,
        "email": email,
        "created_at": now,
    }
    return Order(id=sql.insert(Order, values), **values)


# --- what says something of a person, and goes when it is old -------------------------------------------

ERASED = "erased-"


def erasable_emails(*, before: datetime) -> Erasable:
    old = Order.objects.filter(~Q(email=""), created_at__lt=before)
    return Erasable(what="e-mail addresses", rows=old, kept=0, emptied={"email": ""})


def erasable_references(*, before: datetime) -> Erasable:
    """What the merchant's page called an order: it may be a name. There still is one, or the order would be another."""
    old = Order.objects.filter(client_reference__isnull=False, created_at__lt=before)
    return Erasable(
        what="references of pages",
        rows=old.exclude(client_reference__startswith=ERASED),
        kept=0,
        emptied={"client_reference": Concat(Value(ERASED), "code")},
    )
