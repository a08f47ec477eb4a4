"""The server itself: many at once, broken requests, pages, and starting and stopping it."""

import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from payments.simulator.endings import ENDINGS
from payments.simulator.faults import FAULTS
from payments.simulator.manual import manual
from tests.support.payments.simulator import Client, Shop
from tests.support.places import ROOT

STARTED = r"Daraja simulator on http://127.0.0.1:"


def test_two_hundred_slow_pushes_at_once(instant: Client, shop: Shop) -> None:
    instant.fault("slow_answer", 2)
    headers = {"Authorization": f"Bearer {instant.token}"}

    def push(number: int) -> int:
        body = instant.push_body(f"2547{number:06d}00")
        url = f"{instant.base_url}/mpesa/stkpush/v1/processrequest"
        return requests.post(url, json=body, headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(200) as pool:  # one after another they would run into the timeout
        statuses = list(pool.map(push, range(200)))
    assert statuses == [200] * 200
    instant.idle()
    assert len(shop.bodies) == 200


def exchange(client: Client, sent: bytes) -> bytes:
    """Everything the server says to these bytes before it closes, or in half a second."""
    host, _, port = client.base_url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), timeout=0.5) as connection:
        connection.sendall(sent)
        heard = b""
        try:
            while chunk := connection.recv(65536):
                heard += chunk
        except TimeoutError:
            pass
        return heard


def test_a_connection_is_kept_for_the_next_request(instant: Client) -> None:
    one = b"GET /control/faults HTTP/1.1\r\nHost: x\r\n\r\n"
    assert exchange(instant, one + one).count(b"HTTP/1.1 200") == 2


@pytest.mark.parametrize(
    "head", [b"Transfer-Encoding: chunked", b"Content-Length: -1", b"Content-Length: 99999999"]
)
def test_a_body_that_can_not_be_read_ends_the_connection(instant: Client, head: bytes) -> None:
    heard = exchange(
        instant, b"POST /mpesa/stkpush/v1/processrequest HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n"
    )
    assert heard.startswith(b"HTTP/1.1 413")
    assert b"Connection: close" in heard


def test_the_start_page_is_the_manual(instant: Client) -> None:
    instant.fault("lost_answer")
    page = requests.get(instant.base_url, timeout=5)
    assert page.status_code == 200
    assert "lost_answer = true" in page.text
    assert instant.base_url in page.text
    assert all(f"<dt>{digits}</dt>" in page.text for digits in ENDINGS)
    assert all(f"<dt>{name}" in page.text for name in FAULTS)
    assert "script" not in page.headers["Content-Security-Policy"].replace("script-src 'self'", "")


def test_the_manual_lists_every_ending_and_every_fault() -> None:
    text = manual()
    assert all(f"\n  {digits}  " in text for digits in ENDINGS)
    assert all(f"  {name}" in text for name in FAULTS)


@pytest.mark.parametrize("path", ["/phone", "/phone/254700000055", "/phone/"])
def test_the_phone_page_has_its_parts_and_no_inline_script(instant: Client, path: str) -> None:
    page = requests.get(instant.base_url + path, timeout=5)
    assert page.status_code == 200
    assert all(f'id="{name}"' in page.text for name in ("prompt", "pin", "send", "cancel", "sms", "line"))
    assert '<script src="/static/phone.js" type="module"></script>' in page.text
    assert page.text.count("<script") == 1
    assert "style=" not in page.text


def test_files_and_nothing_else_are_served(instant: Client) -> None:
    script = requests.get(f"{instant.base_url}/static/phone.js", timeout=5)
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert "innerHTML" not in script.text
    for path in ("/static/start.html", "/static/../server.py", "/phone/0700", "/nothing"):
        assert requests.get(instant.base_url + path, timeout=5).status_code == 404
    assert requests.head(f"{instant.base_url}/phone", timeout=5).status_code == 200
    assert requests.post(f"{instant.base_url}/phone", timeout=5).status_code == 405


def command(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", "TEST_DATABASE": "", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize("way", [("-m", "payments.simulator"), ("manage.py", "daraja_simulator")])
def test_it_starts_says_where_it_is_and_stops_cleanly(way: tuple[str, ...]) -> None:
    program = command(*way, "--port", "0", "--speed", "instant", "--fault", "slow_answer=0")
    try:
        assert program.stdout
        line = program.stdout.readline()
        address = line.split()[3]
        assert line == f"Daraja simulator on {address} — phone at {address}/phone\n"
        assert requests.get(f"{address}/control/state", timeout=5).json()["speed"] == "instant"
        program.send_signal(signal.SIGTERM)
        _, trouble = program.communicate(timeout=15)
        assert (program.returncode, trouble) == (0, "")
    finally:
        program.kill()


@pytest.mark.parametrize("way", [("-m", "payments.simulator"), ("manage.py", "daraja_simulator")])
def test_a_taken_port_is_said_in_one_sentence(instant: Client, way: tuple[str, ...]) -> None:
    port = instant.base_url.rpartition(":")[2]
    _, trouble = command(*way, "--port", port).communicate(timeout=30)
    assert len(trouble.strip().splitlines()) == 1
    assert "in use" in trouble


def test_it_refuses_to_run_in_production() -> None:
    program = command("-c", REFUSAL, DJANGO_SETTINGS_MODULE="tests.settings")
    out, trouble = program.communicate(timeout=30)
    assert out == "The simulator does not run where MPESA_ENVIRONMENT is production.\n", trouble


REFUSAL = """
import django
django.setup()
from django.conf import settings
from django.core.management import CommandError, call_command
settings.MPESA_ENVIRONMENT = "production"
try:
    call_command("daraja_simulator", port=0)
except CommandError as refused:
    print(refused)
"""


def test_a_fault_that_is_not_one_is_refused_at_the_start() -> None:
    program = command("-m", "payments.simulator", "--fault", "nonsense")
    _, trouble = program.communicate(timeout=30)
    assert program.returncode == 2
    assert "there is no fault 'nonsense'" in trouble


def test_it_imports_nothing_of_the_project() -> None:
    """Neither Django nor any other part of payments is loaded by the simulator."""
    code = (
        "import sys, payments.simulator.__main__; "
        "print([m for m in sys.modules if m.split('.')[0] in ('django', 'orders', 'djkraph', 'requests')"
        " or m.startswith('payments.') and not m.startswith('payments.simulator')])"
    )
    out, trouble = command("-c", code).communicate(timeout=30)
    assert out == "[]\n", trouble
