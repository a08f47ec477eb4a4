"""A thin Django package, as most shops have one: a view that asks Safaricom with `requests`, one row for a payment, a
callback that updates it, a poll that reads it. Nothing is checked, signed, masked, limited or kept besides. Its
settings: the shop's database and server, Django's own middleware for programs."""

from djkraph.settings import *  # noqa: F403

INSTALLED_APPS = ["rest_framework", "tests.benchmarks.thin.payments"]
ROOT_URLCONF = "tests.benchmarks.thin.payments.views"
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
