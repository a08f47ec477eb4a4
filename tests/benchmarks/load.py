"""The load: a process of its own that keeps N connections busy with prepared requests, and counts.

Raw sockets and epoll: a client library would be slower than the server that it measures.

    python -m tests.benchmarks.load HOST PORT CONNECTIONS SECONDS WARM < requests

Requests come as JSON lines {"path", "body"} on stdin and are sent round and round (or once each with SECONDS 0).
Answers of the first WARM seconds are not counted, nor are those that come after SECONDS once there is a WARM: what
counts then is the middle, where each connection is busy and no longer in step with the others.
Prints {"done", "seconds", "bad", "worst", "sample"} as JSON.
"""

import json
import selectors
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle


@dataclass
class Connection:
    sock: socket.socket
    received: bytearray = field(default_factory=bytearray)
    sent_at: float = 0.0


@dataclass
class Count:
    since: float = 0.0  # on time.perf_counter()
    until: float = float("inf")
    done: int = 0
    bad: int = 0
    worst: float = 0.0
    sample: str = ""


def main(host: str, port: int, connections: int, seconds: float, warm: float) -> None:
    prepared = [_request(json.loads(line)) for line in sys.stdin if line.strip()]
    requests = cycle(prepared) if seconds else iter(prepared)
    began = time.perf_counter()
    count = Count(since=began + warm, until=began + seconds) if warm else Count()
    _run(host, port, connections, requests, began + seconds if seconds else None, count)
    took = time.perf_counter() - began
    told = {
        "done": count.done,
        "seconds": seconds - warm if warm else took,
        "bad": count.bad,
        "worst": count.worst,
        "sample": count.sample,
    }
    sys.stdout.write(json.dumps(told) + "\n")


def _request(told: dict[str, str]) -> bytes:
    body = told["body"].encode()
    head = (
        f"POST {told['path']} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _run(
    host: str, port: int, connections: int, requests: Iterator[bytes], until: float | None, count: Count
) -> None:
    selector = selectors.DefaultSelector()
    busy = 0
    for _ in range(connections):
        connection = Connection(socket.create_connection((host, port)))
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if _send_next(connection, requests):
            selector.register(connection.sock, selectors.EVENT_READ, connection)
            busy += 1
    while busy:
        for key, _ in selector.select(timeout=60):
            connection = key.data
            if not _receive(connection, count):
                continue
            if (until is not None and time.perf_counter() >= until) or not _send_next(connection, requests):
                selector.unregister(connection.sock)
                connection.sock.close()
                busy -= 1


def _send_next(connection: Connection, requests: Iterator[bytes]) -> bool:
    request = next(requests, None)
    if request is None:
        return False
    connection.sent_at = time.perf_counter()
    connection.sock.sendall(request)
    return True


def _receive(connection: Connection, count: Count) -> bool:
    """Reads what came. True: the answer is whole and counted."""
    connection.received += connection.sock.recv(65536)
    head, found, body = bytes(connection.received).partition(b"\r\n\r\n")
    if not found:
        return False
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    if len(body) < int(length.split(b":")[1]):
        return False
    now = time.perf_counter()
    count.bad += not head.startswith(b"HTTP/1.1 200")
    if count.since <= now < count.until:
        count.done += 1
        count.worst = max(count.worst, now - connection.sent_at)
    count.sample = body.decode(errors="replace")[:200]
    connection.received.clear()
    return True


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]), float(sys.argv[5]))
