"""What the shop sells and what was ordered. Nothing about how it is paid: orders has never heard of M-Pesa."""

from django.core.files.storage import Storage, storages
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper

from djkraph.indexes import begins
from orders.sums import CENTS, Sums, to_pay_kes

MAX_TOTAL_KES = 250_000  # what one mobile payment can carry


def mixes_storage() -> Storage:
    """Where the files of mixes are: a buyer's signed link leads there, and for staff the desk."""
    return storages["mixes"]


class Mix(models.Model):
    """One premium mix on the shelf. Its cover is drawn from its slug (orders/covers.py). What is known of its files is
    read from them (orders/delivery/audio.py) when staff upload them."""

    slug = models.SlugField(max_length=60, unique=True)
    title = models.CharField(max_length=80)
    artist = models.CharField(max_length=80, blank=True, default="", db_default="")
    blurb = models.CharField(max_length=200, blank=True)
    track_list = models.TextField(
        blank=True, default="", db_default="", max_length=10_000, help_text="A line a track"
    )
    source_id = models.CharField(
        max_length=100,
        null=True,
        blank=True,
        editable=False,
        help_text="Its id in an imported catalogue",
    )
    genre = models.CharField(max_length=40, blank=True)
    minutes = models.PositiveSmallIntegerField(help_text="Playing time in minutes")
    price_kes = models.PositiveIntegerField(
        "price (KES)",
        validators=[MinValueValidator(1), MaxValueValidator(MAX_TOTAL_KES)],
        help_text="Whole shillings",
    )
    on_sale = models.BooleanField(default=True, help_text="Off: no longer shown, and no longer sold")
    audio = models.FileField(
        "the mix itself", storage=mixes_storage, blank=True, max_length=200, default="", db_default="",
        help_text="What a buyer downloads: .mp3, .m4a, .flac, .ogg, .opus or .wav",
    )  # fmt: skip
    audio_bytes = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    audio_seconds = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    audio_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    preview = models.FileField(
        "a preview of it", storage=mixes_storage, blank=True, max_length=200, default="", db_default="",
        help_text="What everybody may hear on the shelf: 90 seconds at most",
    )  # fmt: skip
    preview_bytes = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    preview_sha256 = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-created_at", "-id")
        verbose_name_plural = "mixes"
        constraints = (
            models.CheckConstraint(
                name="mix_price_is_whole_shillings_in_range",
                condition=Q(price_kes__gte=1, price_kes__lte=MAX_TOTAL_KES),
            ),
        )

    def __str__(self) -> str:
        return self.title


class Order(models.Model):
    """One thing to be paid: the items of a cart, or (unpriced) an amount that the merchant's own page named.

    Written only by orders/services.py.
    """

    class State(models.TextChoices):
        OPEN = "open", "Not paid"
        PAID = "paid", "Paid"
        REFUNDED = "refunded", "Paid, and all of it sent back"

    code = models.CharField(max_length=12, unique=True, help_text="On the buyer's phone and on the statement")
    token = models.CharField(max_length=64, unique=True, help_text="Opens the order's pages; unguessable")
    client_reference = models.CharField(
        max_length=100, null=True, unique=True, help_text="The reference the merchant's page gave, whole"
    )
    total_kes = models.PositiveIntegerField("total (KES)")
    # what the book says of it (payments): written together with the postings, in cents
    received_cents = models.PositiveBigIntegerField("received (cents)", default=0, db_default=0)
    returned_cents = models.PositiveBigIntegerField("returned (cents)", default=0, db_default=0)
    waived_cents = models.PositiveBigIntegerField(
        "waived (cents)", default=0, db_default=0, help_text="What a person let go of: less was accepted"
    )
    is_priced = models.BooleanField(help_text="Its total comes from our own prices, not from a browser")
    email = models.EmailField(blank=True)
    link_round = models.PositiveSmallIntegerField(
        default=0,
        db_default=0,
        help_text="Staff gave it new download links so often: earlier ones open nothing",
    )
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    created_at = models.DateTimeField()
    paid_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.CheckConstraint(
                name="order_total_is_whole_shillings_in_range",
                condition=Q(total_kes__gte=1, total_kes__lte=MAX_TOTAL_KES),
            ),
            models.CheckConstraint(
                name="order_returns_no_more_than_it_got",
                condition=Q(returned_cents__lte=F("received_cents")),
            ),
            models.CheckConstraint(
                name="order_is_paid_at_a_time",
                condition=Q(state__in=("paid", "refunded"), paid_at__isnull=False)
                | Q(state="open", paid_at__isnull=True),
            ),
            models.CheckConstraint(
                name="order_is_priced_or_has_a_client_reference",
                condition=Q(is_priced=True, client_reference__isnull=True)
                | Q(is_priced=False, client_reference__isnull=False),
            ),
        )
        indexes = (
            # the desk's search: how a code or a reference begins
            begins("order_code_begins", "code"),
            begins("order_reference_begins", "client_reference"),
            # the desk's search by e-mail address, however it is spelt
            models.Index(Upper("email"), name="order_email", condition=~Q(email="")),
            # some of its money is here, and not all
            models.Index(
                name="order_part_paid",
                fields=("-id",),
                condition=Q(state="open", received_cents__gt=F("returned_cents")),
            ),
        )

    def __str__(self) -> str:
        return self.code

    @property
    def sums(self) -> Sums:
        return Sums(
            total=CENTS * self.total_kes,
            received=self.received_cents,
            returned=self.returned_cents,
            waived=self.waived_cents,
        )

    @property
    def to_pay_kes(self) -> int:
        """What its buyer is asked for, in whole shillings."""
        return to_pay_kes(self.state, self.sums)


class OrderItem(models.Model):
    """One mix in an order, with the title and price it had when it was ordered."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="items")
    mix = models.ForeignKey(Mix, on_delete=models.PROTECT, related_name="+")
    title = models.CharField(max_length=80)
    price_kes = models.PositiveIntegerField("price (KES)")
    downloads = models.PositiveIntegerField(default=0, db_default=0, help_text="How often its download began")
    downloaded_at = models.DateTimeField(null=True, help_text="When its last one began")

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(name="a_mix_once_per_order", fields=("order", "mix")),
            models.CheckConstraint(
                name="item_price_is_whole_shillings_in_range",
                condition=Q(price_kes__gte=1, price_kes__lte=MAX_TOTAL_KES),
            ),
        )

    def __str__(self) -> str:
        return self.title
