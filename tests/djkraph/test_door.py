"""The door before Django, over real HTTP: what it makes of a request, how long it waits for a body, whom it lets past
whom, and how it ends."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.urls import resolve

from djkraph.door import Kind, Sizes, kind_of
from djkraph.door.bodies import SMALL
from payments.api import views
from tests.support.places import ROOT
from tests.support.races.machines import free_port
from tests.support.web import web

MB = 2**20
WAITS_FOR_A_BODY = 1.5  # seconds, in tests.support.echo
OPEN_FILES = 128  # as many as it starts with: fewer than it needs
ENDS_WITHIN = 10.0  # seconds after SIGTERM
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"


class Server:
    """The echo behind the door, started as the Procfile starts the shop."""

    def __init__(self, log: Path) -> None:
        self.port, self.log = free_port(), log
        words = web(self.port, application="tests.support.echo:application")
        with log.open("wb") as out:
            few_files = ["sh", "-c", f'ulimit -Sn {OPEN_FILES}; exec "$@"', "sh"]
            self.process = subprocess.Popen(
                [*few_files, sys.executable, *words], cwd=ROOT, stdout=out, stderr=out
            )
        give_up_at = time.monotonic() + 30
        while not self.is_up():
            assert time.monotonic() < give_up_at, log.read_text()
            time.sleep(0.05)

    def is_up(self) -> bool:
        try:
            return bool(self.ask("/"))
        except OSError:
            return False

    def begin(self, method: str, path: str, body: Any = None, **headers: str) -> http.client.HTTPConnection:
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        line.request(method, path, body, headers)
        return line

    def ask(self, path: str, body: Any = None, **headers: str) -> dict[str, Any]:
        answer = self.begin("GET" if body is None else "POST", path, body, **headers).getresponse()
        assert answer.status == 200
        return dict(json.loads(answer.read()))

    def raw(self, *lines: str, body: bytes = b"") -> bytes:
        """All that comes until the server hangs up."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as line:
            line.sendall("\r\n".join([lines[0], "Host: shop", *lines[1:], "", ""]).encode("latin-1") + body)
            came = b""
            while piece := line.recv(65_536):
                came += piece
        return came

    def told(self, *lines: str) -> dict[str, Any]:
        return dict(json.loads(self.raw(*lines, "Connection: close").partition(b"\r\n\r\n")[2]))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("door") / "server.log")
    yield server
    server.process.kill()
    server.process.wait(10)


def test_a_request_comes_as_wsgi_has_it(server: Server) -> None:
    told = server.told(
        "GET /mix/b%C3%A9?x=%FF&y=a+b HTTP/1.1", "Cookie: a=1", "Cookie: b=2", "X-Forwarded-For: 1.1.1.1"
    )
    assert told["PATH_INFO"].encode("latin-1").decode() == "/mix/bé"
    assert (told["REQUEST_METHOD"], told["QUERY_STRING"]) == ("GET", "x=%FF&y=a+b")
    assert (told["HTTP_HOST"], told["REMOTE_ADDR"], told["HTTP_COOKIE"]) == ("shop", "127.0.0.1", "a=1; b=2")
    assert (told["SERVER_PROTOCOL"], told["wsgi.url_scheme"]) == ("HTTP/1.1", "http")


def test_a_name_with_an_underscore_is_nobody_s(server: Server) -> None:
    """It would pass for what a trusted proxy says."""
    twins = (
        "X_Forwarded_For: 6.6.6.6",
        "X_FORWARDED_PROTO: https",
        "x_forwarded-host: evil",
        "Content_Length: 9",
    )
    told = server.told("GET / HTTP/1.1", *twins)
    assert not {name for name in told if "FORWARDED" in name or name == "CONTENT_LENGTH"}
    told = server.told("GET / HTTP/1.1", "X-Forwarded-For: 1.1.1.1", *twins, "X-Forwarded-For: 2.2.2.2")
    assert told["HTTP_X_FORWARDED_FOR"] == "1.1.1.1,2.2.2.2"


@pytest.mark.parametrize(
    "odd", ["/%FF%FE", "/%00", "/?q=%E2%80", "/?\xff", "//x//", "/%2e%2e/", "/?" + "a" * 8000]
)
def test_an_odd_address_is_an_address(server: Server, odd: str) -> None:
    assert server.raw(f"GET {odd} HTTP/1.1", "Connection: close").startswith(
        (b"HTTP/1.1 200", b"HTTP/1.1 400")
    )


def test_a_body_comes_whole_with_a_length_and_in_chunks(server: Server) -> None:
    assert server.ask("/x", b"hello") | {"body": 5, "begins": "hello", "CONTENT_LENGTH": "5"} == server.ask(
        "/x", b"hello"
    )
    chunked = server.ask("/x", iter([b"hel", b"lo"]))
    assert (chunked["body"], chunked["begins"], chunked["CONTENT_LENGTH"]) == (5, "hello", "5")


@pytest.mark.parametrize("chunked", [False, True])
def test_of_a_body_that_is_too_large_so_much_is_read_that_it_is_seen(server: Server, chunked: bool) -> None:
    size = 40 * 4096
    told = server.ask("/stkpush", iter([b"x" * 4096] * 40) if chunked else b"x" * size)
    assert told["body"] == 65_537
    assert told["CONTENT_LENGTH"] == ("65537" if chunked else str(size))


def test_a_head_has_the_headers_alone(server: Server) -> None:
    answer = server.raw("HEAD / HTTP/1.1", "Connection: close")
    assert b"content-length: " in answer
    assert answer.endswith(b"\r\n\r\n")


def test_a_body_that_does_not_come_is_told_so(server: Server) -> None:
    began = time.monotonic()
    answer = server.raw("POST /stkpush HTTP/1.1", "Content-Length: 30", body=b"{")
    assert answer.startswith(b"HTTP/1.1 408")
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["code"] == "too_slow"
    assert WAITS_FOR_A_BODY <= time.monotonic() - began < WAITS_FOR_A_BODY + 3


def test_however_many_slow_bodies_hold_nobody_up(server: Server) -> None:
    head = b"POST /api/mpesa-callback HTTP/1.1\r\nHost: shop\r\nContent-Length: 30\r\n\r\n{"
    slow = []
    for _ in range(300):
        slow.append(socket.create_connection(("127.0.0.1", server.port), timeout=20))
        slow[-1].sendall(head)
    began = time.monotonic()
    assert server.ask("/api/mpesa-callback", b"{}")["body"] == 2
    assert time.monotonic() - began < WAITS_FOR_A_BODY / 2
    for line in slow:
        assert line.recv(100).startswith(b"HTTP/1.1 408")
        line.close()


def test_a_file_nobody_asks_for_is_not_read(server: Server) -> None:
    answer = server.raw(
        "POST /admin/login/?unread=1 HTTP/1.1", f"Content-Length: {60 * MB}", "Connection: close"
    )
    assert answer.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("chunked", [False, True])
def test_a_file_that_is_asked_for_comes_whole(server: Server, chunked: bool) -> None:
    body: Any = iter([b"y" * MB] * 8) if chunked else b"y" * 8 * MB
    assert server.ask("/admin/payments/statement/upload/", body)["body"] == 8 * MB


@pytest.mark.parametrize(
    "head",
    [
        "POST /stkpush HTTP/1.1\r\nHost: shop\r\nContent-Length: 300\r\n\r\n{",
        "POST /stkpush HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{",
        "POST /admin/x/ HTTP/1.1\r\nHost: shop\r\nContent-Length: 3000000\r\n\r\n{",
        "GET /?wait=0.5 HTTP/1.1\r\nHost: shop\r\n\r\n",
    ],
    ids=["a body", "chunks", "a file", "an answer"],
)
def test_a_line_that_is_cut_is_no_error_of_ours(server: Server, head: str) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as line:
        line.sendall(head.encode())
        time.sleep(0.2)
    time.sleep(1)
    assert server.ask("/")["body"] == 0
    assert "raised an exception" not in server.log.read_text()


def test_an_answer_goes_out_piece_by_piece(server: Server, tmp_path: Path) -> None:
    line = server.begin("GET", "/?pieces=50&size=100000")
    assert len(line.getresponse().read()) == 5_000_000
    told_to = tmp_path / "closed"
    line = server.begin("GET", f"/?pieces=1000000&size=100000&told_to={told_to}")
    line.getresponse().read(1000)
    line.close()  # the buyer has gone on
    give_up_at = time.monotonic() + 10
    while not told_to.exists():
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


def test_a_piece_of_a_file_goes_out_without_python(server: Server, tmp_path: Path) -> None:
    content = bytes(range(256)) * 40_000
    (tmp_path / "mix.mp3").write_bytes(content)
    for start, end in ((0, len(content)), (5, 6), (1_000_000, len(content))):
        answer = server.begin("GET", f"/?file={tmp_path / 'mix.mp3'}&start={start}&end={end}").getresponse()
        assert (answer.status, answer.read()) == (206, content[start:end])


def test_no_kind_waits_for_another(server: Server) -> None:
    with ThreadPoolExecutor(6) as buyers:
        waiting = [buyers.submit(server.ask, "/stkpush?wait=2", b"{}") for _ in range(4)]
        time.sleep(0.3)
        began = time.monotonic()
        assert server.ask("/api/payments/callback/x", b"{}")["body"] == 2
        assert server.ask("/stkpush/status", b"{}")["body"] == 2
        assert time.monotonic() - began < 1
        assert [each.result()["body"] for each in waiting] == [2] * 4


def test_it_ends_in_time_and_answers_first_whoever_waits(tmp_path: Path) -> None:
    server = Server(tmp_path / "server.log")
    idle = socket.create_connection(("127.0.0.1", server.port), timeout=20)
    idle.sendall(PREFACE)
    assert idle.recv(100)  # HTTP/2, and says no more
    push = server.begin("POST", "/stkpush?wait=2", b"{}")
    time.sleep(0.5)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    assert push.getresponse().status == 200
    server.process.wait(20)
    assert time.monotonic() - began < ENDS_WITHIN
    idle.close()


def test_every_slow_address_of_the_shop_s_is_one_of_the_door_s() -> None:
    of_views = {
        views.PushView: Kind.PUSH,
        views.CallbackView: Kind.CALLBACK,
        views.BareCallbackView: Kind.CALLBACK,
        views.StatusView: Kind.OTHER,
    }
    token = "a" * 48
    paths = (
        "/stkpush",
        "/stkpush/status",
        "/api/payments/callback",
        f"/api/mpesa-callback/{token}",
        "/api/mpesa-callback",
    )
    for path in (*paths, f"/api/payments/callback/{token}"):
        for form in (path, path + "/"):
            view = resolve(form).func.view_class  # type: ignore[attr-defined]
            assert kind_of("POST", form, 10) is of_views[view], form


@pytest.mark.parametrize(
    ("path", "length", "kind"),
    [
        ("/admin/login/", 400, Kind.OTHER),
        ("/admin/login/", 60 * MB, Kind.UPLOAD),
        ("/admin/payments/statement/upload/", None, Kind.UPLOAD),
        ("/cart", 60 * MB, Kind.OTHER),
    ],
)  # fmt: skip
def test_a_large_body_is_a_file_only_in_the_desk(path: str, length: int | None, kind: Kind) -> None:
    assert kind_of("POST", path, length) is kind
    assert kind_of("GET", path, length) is Kind.OTHER


def test_the_door_reads_as_much_as_django_takes() -> None:
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == SMALL


def test_pushes_that_wait_leave_threads_for_their_refusals() -> None:
    sizes = Sizes.of(240, pushes=180)
    assert sizes == Sizes(push=184, callback=20, upload=4, archive=12, other=40)
    assert Sizes.of(2, pushes=1) == Sizes(push=5, callback=2, upload=4, archive=12, other=3)
