"""What the M-PESA portal's statements say, each line once. How a file is read stands in statement_file/."""

from django.db import models
from django.db.models import Q

from orders.models import Order
from payments.models.attempt import MpesaTransaction
from payments.models.receipt import Receipt


class Statement(models.Model):
    """One account statement exported from the M-PESA organisation portal. Written only by reconciliation/."""

    sha256 = models.CharField(max_length=64)
    file_name = models.CharField(max_length=200)
    uploaded_by = models.CharField(max_length=150)
    uploaded_at = models.DateTimeField()
    short_code = models.CharField(max_length=12, blank=True)
    account = models.CharField(max_length=60, blank=True)
    period_from = models.DateTimeField()
    period_to = models.DateTimeField()
    opening_balance = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    closing_balance = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    total_paid_in = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    total_withdrawn = models.DecimalField(max_digits=14, decimal_places=2, null=True)
    lines_in_file = models.PositiveIntegerField()
    lines_known = models.PositiveIntegerField(default=0, help_text="Brought by an earlier statement already")
    warnings = models.JSONField(default=list)
    matched_up_to = models.BigIntegerField(default=0, help_text="Its lines up to this id have been matched")
    matched_at = models.DateTimeField(null=True, help_text="When the last of its lines was matched")

    voided_at = models.DateTimeField(null=True, help_text="When a person said that it is not to be believed")
    voided_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    voided_because = models.CharField(max_length=300, blank=True, default="", db_default="")

    class Meta:
        ordering = ("-id",)
        constraints = (
            models.UniqueConstraint(
                name="a_file_stands_once", fields=("sha256",), condition=Q(voided_at=None)
            ),
        )
        permissions = (
            ("void_statement", "Can void a statement or a line of it"),
            ("import_statement", "Can upload a statement and match it"),
            ("attach_money", "Can attach money of a statement to an order"),
        )

    def __str__(self) -> str:
        return self.file_name


class StatementLine(models.Model):
    """One line of the portal's statement, once, however many exports named it."""

    class Kind(models.TextChoices):
        PAYMENT = "payment", "Payment"
        CHARGE = "charge", "Charge"
        SWEEP = "sweep", "Moved to the bank"
        REVERSAL = "reversal", "Reversal"
        OTHER = "other", "Other"

    class Match(models.TextChoices):
        NONE = "", "Not matched"
        RECEIPT = "receipt", "By receipt"
        REFERENCE = "reference", "By order code, amount and time"
        BY_HAND = "by_hand", "Attached by staff"
        BOOKED = "booked", "In the book"
        VOID = "void", "Not to be believed"

    statement = models.ForeignKey(Statement, on_delete=models.PROTECT, related_name="lines")
    row = models.PositiveIntegerField(help_text="Its row in the file that brought it")
    kind = models.CharField(max_length=8, choices=Kind.choices)
    receipt = models.CharField(max_length=30)
    completed_at = models.DateTimeField()
    paid_in = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    withdrawn = models.DecimalField(max_digits=14, decimal_places=2, default=0)
    money_in = models.BooleanField()
    reason_type = models.CharField(max_length=80, blank=True)
    details = models.CharField(max_length=300, blank=True)
    other_party = models.CharField(max_length=120, blank=True)
    account_no = models.CharField(max_length=60, blank=True)
    linked_receipt = models.CharField(max_length=30, blank=True)
    attempt = models.ForeignKey(
        MpesaTransaction, null=True, on_delete=models.PROTECT, related_name="statement_lines"
    )
    booked_as = models.ForeignKey(
        Receipt,
        null=True,
        on_delete=models.PROTECT,
        related_name="lines",
        db_index=False,  # a small one of its own, below
        help_text="Its receipt in the book, where no payment of ours explains it",
    )
    voided_at = models.DateTimeField(null=True, help_text="When a person said that it is not to be believed")
    voided_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    match = models.CharField(max_length=9, choices=Match.choices, blank=True, default=Match.NONE)
    # what only this file says, above what its uploader may pay alone in a day (limits.py)
    waits_since = models.DateTimeField(
        null=True, help_text="Since when it waits to be believed by a second person"
    )
    waits_for = models.ForeignKey(
        Order,
        null=True,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
        help_text="The order that it would pay",
    )
    believed_at = models.DateTimeField(null=True)
    believed_by = models.CharField(max_length=150, blank=True, default="", db_default="")
    alone_at = models.DateTimeField(null=True, help_text="When it paid on its uploader's word alone")
    alone_kes = models.PositiveBigIntegerField(
        default=0, db_default=0, help_text="How much that counts for in the uploader's day (KES)"
    )
    absent_from = models.ForeignKey(
        Statement,
        null=True,
        on_delete=models.PROTECT,
        related_name="lacking",
        db_index=False,
        db_constraint=False,
        help_text="A statement of the same account that covers its time and does not name it",
    )

    class Meta:
        ordering = ("id",)
        constraints = (
            models.UniqueConstraint(
                name="a_line_stands_once",
                fields=("receipt", "reason_type", "money_in"),
                condition=Q(voided_at=None),
            ),
            models.UniqueConstraint(
                name="one_payment_line_per_attempt", fields=("attempt",), condition=Q(kind="payment")
            ),
            models.CheckConstraint(
                name="a_voided_line_is_nobodys",
                condition=Q(voided_at=None) | Q(attempt=None, booked_as=None, match="void"),
            ),
            models.CheckConstraint(
                name="line_kind_is_known",
                condition=Q(kind__in=("payment", "charge", "sweep", "reversal", "other")),
            ),
            models.CheckConstraint(
                name="line_match_is_known",
                condition=Q(match__in=("", "receipt", "reference", "by_hand", "booked", "void")),
            ),
            models.CheckConstraint(
                name="a_line_is_money_in_or_out",
                condition=Q(money_in=True, paid_in__gt=0, withdrawn=0)
                | Q(money_in=False, paid_in=0, withdrawn__gte=0),
            ),
        )
        indexes = (
            models.Index(name="line_of_period", fields=("completed_at",)),
            # by receipt, void or not: the search, and what another file of the same days says
            models.Index(name="line_receipt", fields=("receipt",)),
            # theirs but not ours
            models.Index(name="line_nobodys", fields=("-id",), condition=Q(kind="payment", match="")),
            # what moved otherwise and is not in the book yet
            models.Index(name="line_to_book", fields=("id",), condition=~Q(kind="payment") & Q(match="")),
            models.Index(name="line_booked_as", fields=("booked_as",), condition=Q(booked_as__isnull=False)),
            # the search; which other lines could be the same payment's
            models.Index(name="line_account_no", fields=("account_no",)),
            # what waits to be believed
            models.Index(
                name="line_waits",
                fields=("statement", "id"),
                condition=Q(waits_since__isnull=False, believed_at=None, match=""),
            ),
            # what was paid in a day on one person's word alone
            models.Index(
                name="line_paid_alone",
                fields=("alone_at",),
                include=("alone_kes", "statement"),
                condition=Q(alone_at__isnull=False),
            ),
            # where two files differ
            models.Index(
                name="line_absent", fields=("absent_from", "id"), condition=Q(absent_from__isnull=False)
            ),
        )

    def __str__(self) -> str:
        return f"{self.receipt} · {self.get_kind_display()}"
