"""What a buyer's phone loads at first sight of a page, in bytes over the wire, after the Procfile's `release`: a real
server started from a copy of the shop."""

import gzip
import http.client
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import brotli
import pytest
import requests

from tests.support.places import ROOT
from tests.support.races.machines import free_port
from tests.support.web import procfile, web

AT_MOST = 30 * 1024  # bytes: the page, what it loads, and all their headers
LOADED = re.compile(r'(?:src|href)="(/[^"]+\.(?:js|css|svg|png|jpe?g|webp|woff2?))(?:\?[^"]*)?"')
PARTS = ("djkraph", "orders", "payments", "templates", "static", "manage.py")
A_YEAR = 31_536_000


class Answer:
    def __init__(self, host: str, path: str, **headers: str) -> None:
        line = http.client.HTTPConnection(host, timeout=30)
        asked = {"Accept-Encoding": "br, gzip", **headers}
        line.request("GET", path, headers=asked)
        came = line.getresponse()
        raw = came.read()
        self.status, self.headers = came.status, came.headers
        self.bytes = len(raw) + sum(len(name) + len(value) + 4 for name, value in came.getheaders()) + 17
        self.body = _unpacked(raw, came.headers.get("Content-Encoding", ""))
        line.close()


def _unpacked(raw: bytes, encoding: str) -> bytes:
    if encoding == "br":
        return bytes(brotli.decompress(raw))
    if encoding == "gzip":
        return gzip.decompress(raw)
    assert encoding == ""
    return raw


@pytest.fixture(scope="module")
def released(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """host:port of a shop with the demo's mixes, made ready as the Procfile says."""
    folder = tmp_path_factory.mktemp("released") / "shop"
    folder.mkdir()
    for part in PARTS:
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy2
        copy(source, folder / part)
    told = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "djkraph.settings"}
    for command in (*procfile()["release"].split(" && "), "python manage.py load_demo_mixes"):
        words = [sys.executable, *command.split()[1:]]
        subprocess.run(words, cwd=folder, env=told, check=True, capture_output=True)
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, *web(port, workers=2)],
        cwd=folder,
        env=told,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(f"127.0.0.1:{port}")
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _wait_for(host: str) -> None:
    for _ in range(300):
        try:
            if Answer(host, "/health").status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError("the shop did not start")


@pytest.fixture(scope="module")
def checkout(released: str) -> str:
    """The address of an order's checkout."""
    slug = re.search(rb'data-add-to-cart="([^"]+)"', Answer(released, "/").body)
    assert slug is not None
    placed = requests.post(
        f"http://{released}/api/orders", json={"items": [{"mix": slug[1].decode()}]}, timeout=30
    )
    return urlsplit(placed.json()["checkoutUrl"]).path


def loaded(host: str, path: str) -> dict[str, Answer]:
    page = Answer(host, path)
    assert page.status == 200, path
    return {path: page} | {each: Answer(host, each) for each in LOADED.findall(page.body.decode())}


@pytest.mark.parametrize("page", ["cart", "checkout"])
def test_the_first_view_costs_little(released: str, checkout: str, page: str) -> None:
    files = loaded(released, {"cart": "/cart", "checkout": checkout}[page])
    assert len(files) > 3
    assert {name: each.status for name, each in files.items() if each.status != 200} == {}
    assert sum(each.bytes for each in files.values()) <= AT_MOST, {
        name: each.bytes for name, each in files.items()
    }


@pytest.mark.parametrize("page", ["/", "/cart"])
def test_whatever_a_page_loads_is_packed_and_kept_for_a_year(released: str, page: str) -> None:
    files = loaded(released, page)
    assert page != "/" or any(name.startswith("/covers/") for name in files)
    assert files[page].headers["Content-Encoding"] == "gzip"
    for name, each in files.items():
        if name.startswith("/covers/"):
            assert each.headers["Content-Encoding"] == "gzip"
        if name.startswith("/static/"):
            assert re.search(r"\.[0-9a-f]{12}\.\w+$", name), name
            assert each.headers["Cache-Control"] == f"max-age={A_YEAR}, public, immutable"
            assert each.headers["Content-Encoding"] == "br"
            assert "Accept-Encoding" in each.headers["Vary"]
            assert Answer(released, name, **{"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
            assert (
                Answer(released, name, **{"Accept-Encoding": "identity"}).headers["Content-Encoding"] is None
            )


def test_the_script_for_other_sites_keeps_its_name_and_is_asked_for_anew(released: str) -> None:
    script = Answer(released, "/static/js/mpesaPaymentManager.js")
    assert (script.status, script.headers["Content-Encoding"]) == (200, "br")
    assert "immutable" not in script.headers["Cache-Control"]


def test_json_is_not_packed(released: str) -> None:
    assert Answer(released, "/api/mixes").headers["Content-Encoding"] is None
