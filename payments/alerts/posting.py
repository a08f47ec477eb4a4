"""One HTTP POST to an address that somebody typed into the settings, with what such an address may not be used for: it
reaches no private network, follows no redirect, and ends within its time."""

import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from requests.utils import DEFAULT_CA_BUNDLE_PATH

CONNECT_WITHIN = 5.0  # seconds
ALL_WITHIN = 15.0  # seconds, however slowly the other side speaks


class NotPosted(Exception):
    """Nothing came back that says it arrived. The words name no address."""


@dataclass(frozen=True, kw_only=True)
class Post:
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    anywhere: bool  # http, and private addresses too


def post(what: Post, *, within: float = ALL_WITHIN) -> int:
    """The status of the answer."""
    told = urlsplit(what.url)
    if told.scheme != "https" and not what.anywhere:
        raise NotPosted("Its address is not https.")
    target = f"{told.path or '/'}{'?' if told.query else ''}{told.query}"
    try:
        with _connected(told, anywhere=what.anywhere, within=within) as connection:
            connection.request("POST", target, body=what.body, headers=dict(what.headers))
            return connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as failed:
        raise NotPosted(in_words(failed)) from None


def in_words(failed: Exception) -> str:
    """What an error says itself may name the address, or who logged in there."""
    match failed:
        case TimeoutError():
            return "It did not answer in time."
        case socket.gaierror():
            return "Its name is not known."
        case ssl.SSLError():
            return "Its certificate is not trusted."
        case ConnectionRefusedError():
            return "It refused the connection."
        case OSError() | http.client.HTTPException():
            return "The connection broke off."
        case _:
            return f"{type(failed).__name__}."


@contextmanager
def _connected(told: SplitResult, *, anywhere: bool, within: float) -> Iterator[http.client.HTTPConnection]:
    host, is_https = told.hostname or "", told.scheme == "https"
    raw = _open(host, told.port or (443 if is_https else 80), anywhere=anywhere)
    raw.settimeout(within)
    connection = http.client.HTTPConnection(told.netloc.rpartition("@")[2])
    connection.sock = _encrypted(raw, host) if is_https else raw
    with closing(connection), _ended_after(within, connection.sock):
        if isinstance(connection.sock, ssl.SSLSocket):
            connection.sock.do_handshake()
        yield connection


def _open(host: str, port: int, *, anywhere: bool) -> socket.socket:
    """The name is looked up once, and what was looked at is what is called: a name that answers otherwise a moment
    later is in vain."""
    found = [str(each[4][0]) for each in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    if not anywhere and not all(map(is_public, found)):
        raise NotPosted("Its address is in a private network.")
    for address in found[:-1]:
        try:
            return socket.create_connection((address, port), timeout=CONNECT_WITHIN)
        except OSError:  # of its other addresses one may be reached
            continue
    return socket.create_connection((found[-1], port), timeout=CONNECT_WITHIN)


def is_public(address: str) -> bool:
    read = ipaddress.ip_address(address.partition("%")[0])
    mapped = read.ipv4_mapped if isinstance(read, ipaddress.IPv6Address) else None
    return (mapped or read).is_global and not read.is_multicast


def _encrypted(raw: socket.socket, host: str) -> ssl.SSLSocket:
    context = ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
    return context.wrap_socket(raw, server_hostname=host, do_handshake_on_connect=False)


@contextmanager
def _ended_after(seconds: float, sock: socket.socket) -> Iterator[None]:
    """Each read has its own time limit: who sends a byte now and then would never reach it."""
    end = threading.Timer(seconds, _cut, [sock])
    end.daemon = True
    end.start()
    try:
        yield
    finally:
        end.cancel()


def _cut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # it ended by itself
        return
