"""Starts the whole shop on this machine: the shop itself, a simulated Safaricom with a phone, and the worker.

Prepares the database first: migrations, eight demo mixes, a staff login. Ctrl-C stops all of it.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

LOOPBACK = "127.0.0.1"
THREADS = "16"
STARTS_WITHIN = 60.0  # seconds
STOPS_WITHIN = 8.0  # seconds
LOGIN = "kraph"
NOMINATED = "254722000000"  # whose phone answers for the demo's short code


class Command(BaseCommand):
    help = __doc__

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the shop's port (8000)")
        parser.add_argument("--simulator-port", type=int, help="the simulator's port (the shop's + 1)")

    def handle(self, *_args: Any, **options: Any) -> None:
        port = options["port"]
        simulator_port = options["simulator_port"] or port + 1
        self._refuse_where_wrong(port, simulator_port)
        password = self._prepare()
        self._step("Starting shop, simulator and worker …")
        crew = _start_all(port, simulator_port)
        try:
            _wait_until_up(crew, port, simulator_port)
            _register(port, simulator_port)
            self._say_where(port, simulator_port, password)
            self._keep_watch(crew)
        except KeyboardInterrupt:
            self.stdout.write("\nStopping …")
        finally:
            _stop(crew)

    def _step(self, words: str) -> None:
        self.stdout.write(words)
        self.stdout.flush()

    def _refuse_where_wrong(self, port: int, simulator_port: int) -> None:
        if settings.MPESA_ENVIRONMENT != "simulator":
            raise CommandError(
                f"MPESA_ENVIRONMENT is {settings.MPESA_ENVIRONMENT!r}; the demo runs with the simulator only."
            )
        for number, what in ((port, "shop"), (simulator_port, "simulator")):
            if not 1 <= number <= 65535:
                raise CommandError(f"{number} is not a port: choose one from 1 to 65535.")
            if _taken(number):
                raise CommandError(
                    f"Port {number} (for the {what}) is taken. Stop what uses it, or choose another: "
                    f"make run PORT={port + 10}"
                )

    def _prepare(self) -> str:
        self._step("Preparing the database …")
        call_command("migrate", verbosity=0)
        call_command("load_demo_mixes", stdout=self.stdout)
        return _demo_login()

    def _say_where(self, port: int, simulator_port: int, password: str) -> None:
        shop, simulator = f"http://{LOOPBACK}:{port}", f"http://{LOOPBACK}:{simulator_port}"
        self._step(
            f"\n  Shop    {shop}/\n"
            f"  Phone   {simulator}/phone    where you type the M-PESA PIN (any four digits)\n"
            f"  Desk    {shop}/admin/    user {LOGIN}, password {password}\n\n"
            "Ctrl-C stops everything.\n"
        )

    def _keep_watch(self, crew: dict[str, subprocess.Popen[bytes]]) -> None:
        while True:
            for name, process in crew.items():
                if process.poll() is not None:
                    raise CommandError(f"The {name} has stopped (exit code {process.returncode}); see above.")
            time.sleep(0.5)


def _demo_login() -> str:
    """The password of the demo's staff login, drawn once and kept beside the database. Simulator mode only."""
    kept = Path(settings.BASE_DIR) / "var" / "demo-password.txt"
    kept.parent.mkdir(exist_ok=True)
    password = kept.read_text().strip() if kept.exists() else secrets.token_urlsafe(9)
    kept.write_text(password + "\n")
    users = get_user_model().objects
    if not users.filter(username=LOGIN).exists():
        users.create_superuser(LOGIN, email="", password=password)
        return password
    user = users.get(username=LOGIN)
    return password if user.check_password(password) else "as you have set it"


def _environment(port: int, simulator_port: int) -> dict[str, str]:
    return os.environ | {
        "MPESA_BASE_URL": f"http://{LOOPBACK}:{simulator_port}",
        "MPESA_CALLBACK_URL": f"http://{LOOPBACK}:{port}/api/payments/callback",
        "CSRF_TRUSTED_ORIGINS": f"http://{LOOPBACK}:{port},http://localhost:{port}",
        "PYTHONUNBUFFERED": "1",
        "WEB_THREADS": THREADS,
    }


def _manage() -> list[str]:
    return [sys.executable, str(Path(settings.BASE_DIR) / "manage.py")]


def _register(port: int, simulator_port: int) -> None:
    """What a live shop does once; the simulator forgets it with each start. Else payments by hand are not told."""
    asked = [
        subprocess.Popen(
            [*_manage(), *command],
            env=_environment(port, simulator_port),
            cwd=settings.BASE_DIR,
            stdout=subprocess.DEVNULL,
            start_new_session=sys.platform != "win32",
        )
        for command in (("register_c2b", "--register"), ("register_pull", "--register", NOMINATED))
    ]
    for each in asked:
        each.wait(timeout=STARTS_WITHIN)


def _start_all(port: int, simulator_port: int) -> dict[str, subprocess.Popen[bytes]]:
    environment, manage = _environment(port, simulator_port), _manage()
    commands = {
        "simulator": [*manage, "daraja_simulator", "--port", str(simulator_port)],
        "shop": [
            sys.executable, "-m", "granian", "--interface", "rsgi", "--host", LOOPBACK, "--port", str(port),
            "--workers-kill-timeout", "5", "--log-level", "warning", "djkraph.rsgi:application",
        ],
        "worker": [*manage, "reconcile_payments", "--watch"],
    }  # fmt: skip
    # A group of their own: Ctrl-C reaches this process only, and this one stops them in order.
    apart: dict[str, Any] = (
        {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP}  # type: ignore[attr-defined,unused-ignore]
        if sys.platform == "win32"
        else {"start_new_session": True}
    )
    signal.signal(signal.SIGINT, signal.default_int_handler)  # also where a script started it, deaf to Ctrl-C
    signal.signal(signal.SIGTERM, _as_ctrl_c)
    return {
        name: subprocess.Popen(
            command, env=environment, cwd=settings.BASE_DIR, stdout=subprocess.DEVNULL, **apart
        )
        for name, command in commands.items()
    }


def _as_ctrl_c(_signal: int, _frame: Any) -> None:
    raise KeyboardInterrupt


def _wait_until_up(crew: dict[str, subprocess.Popen[bytes]], port: int, simulator_port: int) -> None:
    addresses = {
        "shop": f"http://{LOOPBACK}:{port}/health",
        "simulator": f"http://{LOOPBACK}:{simulator_port}/",
    }
    give_up_at = time.monotonic() + STARTS_WITHIN
    for name, address in addresses.items():
        while not _answers(address):
            if crew[name].poll() is not None:
                raise CommandError(f"The {name} could not start; see above.")
            if time.monotonic() > give_up_at:
                raise CommandError(f"The {name} did not answer within {STARTS_WITHIN:.0f} seconds.")
            time.sleep(0.1)


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2) as answer:  # noqa: S310 — our own loopback
            return bool(answer.status == 200)
    except OSError:
        return False


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        if sys.platform != "win32":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return True
    return False


def _stop(crew: dict[str, subprocess.Popen[bytes]]) -> None:
    for process in crew.values():
        if process.poll() is None:
            process.terminate()
    for process in crew.values():
        try:
            process.wait(timeout=STOPS_WITHIN)
        except subprocess.TimeoutExpired:
            process.kill()
