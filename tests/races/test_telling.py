"""Two workers and a command tell people, and the workers are killed while one of them does."""

import json
import time
from collections.abc import Callable
from pathlib import Path

from tests.support.payments.receiver import Receiver, is_believed, listening
from tests.support.races.machines import Postgres, Rows, environment, manage, worker

SECRET = "a-webhook-secret-of-its-own"
WITHIN = 60.0  # seconds


def until(so: Callable[[], bool], log: Path) -> None:
    give_up_at = time.monotonic() + WITHIN
    while not so():
        assert time.monotonic() < give_up_at, log.read_text()[-3000:]
        time.sleep(0.05)


def ids(receiver: Receiver) -> list[str]:
    return [json.loads(body)["id"] for _, body in receiver.posts]


def test_what_two_workers_die_with_is_told_once_more_under_its_id_and_then_no_more(
    postgres: Postgres, tmp_path: Path
) -> None:
    rows, log = Rows(postgres.address), tmp_path / "workers.log"
    with listening() as receiver:
        env = environment(
            postgres.address,
            "http://127.0.0.1:1",
            tmp_path,
            ALERT_WEBHOOK_URL=receiver.url,
            ALERT_WEBHOOK_SECRET=SECRET,
        )
        manage(env, "migrate", "--noinput")
        rows.forget_all(keep=("auth_permission", "auth_group", "django_content_type"))
        manage(env, "tell_people")  # that the worker has never been seen
        rows.do("UPDATE payments_alertmessage SET made_at = made_at - interval '1 hour'")
        (tmp_path / "spool").mkdir()
        (tmp_path / "spool" / "one.callback.json.bad").write_text("nobody can read this")

        receiver.hold()
        with worker(env, log), worker(env, log):  # at the end of it they are killed
            until(lambda: len(receiver.posts) == 2, log)
        receiver.let_go()
        (waiting,) = rows.all(
            "SELECT next_at > now() AS taken FROM payments_alertmessage WHERE state = 'waiting'"
        )
        assert waiting["taken"]
        rows.do("UPDATE payments_alertmessage SET next_at = now() WHERE state = 'waiting'")
        manage(env, "tell_people")
        manage(env, "tell_people")
    rows.close()
    before, told, again = ids(receiver)
    assert told == again != before
    assert all(is_believed(headers, body, secret=SECRET, now=time.time()) for headers, body in receiver.posts)
    assert "Traceback" not in log.read_text()
