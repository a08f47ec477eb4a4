"""The yardsticks' settings: the shop's database, parser and renderer, and one middleware (for Content-Length)."""

from djkraph.settings import *  # noqa: F403

ROOT_URLCONF = "tests.benchmarks.yardstick"
MIDDLEWARE = ["django.middleware.common.CommonMiddleware"]
