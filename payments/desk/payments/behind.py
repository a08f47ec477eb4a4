"""What stands behind the payments: keys, the token, the budget, the seals, and the book's postings. Read-only, and no
secret of theirs is shown."""

from django.contrib import admin
from unfold.admin import ModelAdmin
from unfold.decorators import display

from djkraph.admin import ReadOnly
from payments.desk.words import kes_of, moment
from payments.models import (
    Awaited,
    DarajaToken,
    Heartbeat,
    IdempotencyKey,
    Posting,
    QueryBudget,
    Seal,
    SealedInPart,
    StoppedPhone,
)


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnly, ModelAdmin):
    list_display = ("created_at", "attempt", "status")
    list_select_related = ("attempt",)
    fields = ("created_at", "attempt", "status")
    show_full_result_count = False


@admin.register(DarajaToken)
class DarajaTokenAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "fresh_until", "fetching_until")
    fields = ("name", "fresh_until", "fetching_until")


@admin.register(QueryBudget)
class QueryBudgetAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "free_at")


@admin.register(Heartbeat)
class HeartbeatAdmin(ReadOnly, ModelAdmin):
    list_display = ("name", "at")


@admin.register(StoppedPhone)
class StoppedPhoneAdmin(ReadOnly, ModelAdmin):
    """Whose owner wants to be asked no more (`manage.py stop_prompts`)."""

    list_display = ("phone", "stopped")
    fields = readonly_fields = ("phone", "stopped")

    @display(description="Phone", ordering="phone_masked")
    def phone(self, stopped: StoppedPhone) -> str:
        return stopped.phone_masked

    @display(description="Stopped", ordering="at")
    def stopped(self, stopped: StoppedPhone) -> str:
        return moment(stopped.at)


@admin.register(Awaited)
class AwaitedAdmin(ReadOnly, ModelAdmin):
    """Who waits for a question to Safaricom."""


@admin.register(Seal)
class SealAdmin(ReadOnly, ModelAdmin):
    """What an auditor prints and keeps: the number and the hash."""

    list_display = ("number", "at", "rows", "hash")
    show_full_result_count = False


@admin.register(SealedInPart)
class SealedInPartAdmin(ReadOnly, ModelAdmin):
    """Rows that will be sealed once more: what they wait for is not filled in yet."""


@admin.register(Posting)
class PostingAdmin(ReadOnly, ModelAdmin):
    list_display = ("id", "at", "debit", "credit", "amount", "code", "receipt", "attempt", "mends")
    list_select_related = ("receipt", "attempt", "mends")
    search_fields = ("debit__exact", "credit__exact")
    show_full_result_count = False

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, posting: Posting) -> str:
        return kes_of(posting.amount_cents)
