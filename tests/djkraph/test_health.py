"""/health and /health/ready: what a probe hears; each helper's fault is told, and takes nothing out of service."""

import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

PARTS = [
    "database",
    "migrations",
    "safaricom",
    "worker",
    "seals",
    "spool",
    "mail",
    "webhook",
    "cache",
    "disk",
]


@pytest.fixture(autouse=True)
def _a_spool_of_its_own(settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = str(tmp_path / "spool")


def ready(client: Client, **headers: Any) -> tuple[int, dict[str, Any]]:
    answer = client.get("/health/ready", **headers)
    return answer.status_code, answer.json()


def test_each_part_is_told_and_all_are_well(client: Client, db: None) -> None:
    status, told = ready(client)
    assert (status, told["success"], told["status"]) == (200, True, "ready")
    assert told["parts"] == dict.fromkeys(PARTS, "ok")
    assert list(told["parts"]) == PARTS
    assert "trouble" not in told


@pytest.mark.parametrize("path", ["/health", "/health/", "/health/ready", "/health/ready/"])
def test_a_probe_is_answered_over_plain_http_and_at_an_address(db: None, settings: Any, path: str) -> None:
    settings.SECURE_SSL_REDIRECT = True
    client = Client()
    settings.ALLOWED_HOSTS = ["shop.example"]
    answer = client.get(path, headers={"host": "10.0.0.7:8000"})
    assert (answer.status_code, answer.json()["success"]) == (200, True)
    assert client.head(path, headers={"host": "10.0.0.7:8000"}).status_code == 200
    assert client.post(path).status_code == 405


@pytest.mark.parametrize("path", ["/healthy", "/health/other", "/health/ready/x"])
def test_what_only_begins_like_it_is_no_probe(db: None, settings: Any, path: str) -> None:
    assert Client().get(path).status_code == 404
    settings.SECURE_SSL_REDIRECT = True
    assert Client().get(path).status_code == 301


def test_an_unmigrated_database_is_not_ready_until_it_is_migrated(client: Client, db: None) -> None:
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("payments", "0001_ledger")
    status, told = ready(client)
    assert (status, told["code"]) == (503, "not_ready")
    assert "manage.py migrate" in told["parts"]["migrations"]
    assert told["parts"]["database"] == "ok"
    recorder.record_applied("payments", "0001_ledger")
    assert ready(client)[0] == 200


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Somebody listens there, and never says a word."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(8)
        yield listening.getsockname()[1]


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port


def redis_at(settings: Any, port: int) -> None:
    settings.CACHES = {
        "shared": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": f"redis://127.0.0.1:{port}/0",
            "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
        }
    }
    caches.close_all()


@pytest.mark.parametrize("port", ["silent_port", "closed_port"])
def test_a_cache_that_is_gone_or_hangs_is_told_and_nothing_waits_for_it(
    client: Client, db: None, settings: Any, request: pytest.FixtureRequest, port: str
) -> None:
    redis_at(settings, request.getfixturevalue(port))
    began = time.monotonic()
    status, told = ready(client)
    assert time.monotonic() - began < 5  # half a second on a machine that does nothing else
    assert (status, told["status"], told["trouble"]) == (200, "ready", "cache")
    assert "sales go on" in told["parts"]["cache"]


def test_a_disk_that_takes_nothing_is_told(client: Client, db: None, settings: Any, tmp_path: Path) -> None:
    settings.SPOOL_DIR = str(tmp_path / "file" / "spool")
    (tmp_path / "file").write_text("no folder")
    status, told = ready(client)
    assert (status, told["trouble"]) == (200, "disk")
    assert str(tmp_path) not in told["parts"]["disk"]


def test_a_disk_that_is_nearly_full_is_told(
    client: Client, db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("djkraph.health.LEAST_FREE", 10**18)
    status, told = ready(client)
    assert (status, told["trouble"]) == (200, "disk")
    assert "left" in told["parts"]["disk"]
