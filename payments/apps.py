"""The payments app's name card; loads the system checks."""

from django.apps import AppConfig


class PaymentsConfig(AppConfig):
    name = "payments"
    verbose_name = "M-Pesa"

    def ready(self) -> None:
        from payments import checks  # noqa: F401
