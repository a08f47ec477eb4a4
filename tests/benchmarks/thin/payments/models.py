from django.db import models


class Payment(models.Model):
    phone = models.CharField(max_length=12)
    amount = models.IntegerField()
    reference = models.CharField(max_length=20)
    checkout_request_id = models.CharField(max_length=64, unique=True)
    state = models.CharField(max_length=12, default="pending")
    receipt = models.CharField(max_length=20, default="")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "payments"
        db_table = "thin_payment"
        managed = False

    def __str__(self) -> str:
        return self.reference
