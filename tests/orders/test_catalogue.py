"""The merchant's own catalogue comes on the shelf: once, whole or not at all, and each mistake is named."""

import base64
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from orders.catalogue import Unreadable, read_catalogue
from orders.models import Mix
from tests.support.music import wav

MIX: dict[str, Any] = {
    "id": 1732000000001, "title": "Nairobi After Dark", "artist": "DJ Kraph", "image": "data:image/png;base64,iVBOR",
    "price": 1500, "description": "Slow-burning afro house.", "genre": "Afro house", "bpm": 122, "duration": "62:30",
    "trackList": ["One", "Two"], "audioUrl": "blob:https://djkraph.co.ke/1", "fileName": "n.mp3", "fileType": "mp3",
    "dateAdded": "2026-11-20T10:00:00.000Z",
}  # fmt: skip


def with_(**other: Any) -> dict[str, Any]:
    return MIX | other


def read(told: Any) -> Any:
    return read_catalogue(json.dumps(told).encode(), most_kes=250_000)


def test_a_mix_as_the_page_keeps_it() -> None:
    (entry,) = read([MIX])
    assert (entry.source_id, entry.title, entry.artist, entry.genre) == (
        "1732000000001", "Nairobi After Dark", "DJ Kraph", "Afro house",
    )  # fmt: skip
    assert (entry.price_kes, entry.minutes, entry.track_list, entry.audio) == (1500, 63, "One\nTwo", None)


@pytest.mark.parametrize(
    ("given_as", "kes"),
    [
        (1500, 1500),
        ("1500", 1500),
        ("KSh 1,500", 1500),
        ("Ksh1500", 1500),
        (1500.0, 1500),
        ("kes. 2 000", 2000),
    ],
)
def test_prices_as_people_write_them(given_as: Any, kes: int) -> None:
    assert read([with_(price=given_as)])[0].price_kes == kes


@pytest.mark.parametrize(
    "price", [0, -5, 250_001, "free", None, "15.50", True, "1e400", [1], "NaN", float("1e30")]
)
def test_other_prices_are_named(price: Any) -> None:
    with pytest.raises(Unreadable, match=r"Mix 2 \(Nairobi After Dark\): its price must be whole shillings"):
        read([with_(id=1), with_(id=2, price=price)])


@pytest.mark.parametrize(
    ("told", "minutes"), [("3:05", 4), ("62:00", 62), ("1:02:30", 63), ("", 0), (None, 0), ("0:10", 1)]
)
def test_durations(told: Any, minutes: int) -> None:
    assert read([with_(duration=told)])[0].minutes == minutes


@pytest.mark.parametrize("told", ["an hour", "3:75", "3", 200, "1:2:3:4"])
def test_other_durations_are_named(told: Any) -> None:
    with pytest.raises(Unreadable, match="its duration must be"):
        read([with_(duration=told)])


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "not readable JSON"),
        (b"\xff\xfe", "not readable JSON"),
        (b"[" * 100_000, "not readable JSON"),
        (b"[]", "at least one"),
        (b"3", "a list of mixes"),
        (b'["x"]', "Mix 1: it must be an object"),
        (b'[{"title": " "}]', "Mix 1: it has no title"),
        (b'[{"title": ["x"]}]', "its title must be text"),
    ],
)
def test_what_is_no_catalogue_is_refused_in_words(content: bytes, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        read_catalogue(content, most_kes=250_000)


def test_one_id_twice_is_a_mistake_and_one_title_twice_is_two_mixes() -> None:
    with pytest.raises(Unreadable, match="1732000000001 stands there more than once"):
        read([MIX, MIX])
    assert len(read([MIX, with_(id=2)])) == 2


plain = st.none() | st.booleans() | st.floats() | st.text() | st.integers()
anything = st.recursive(
    plain, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*MIX, "x"]), inner)
)


@given(anything)
def test_anything_is_read_or_refused(told: Any) -> None:
    with suppress(Unreadable):
        assert read(told)


def imported(tmp_path: Path, told: Any, capsys: pytest.CaptureFixture[str]) -> str:
    (tmp_path / "mixes.json").write_text(json.dumps(told), encoding="utf-8-sig")
    call_command("import_mixes", str(tmp_path / "mixes.json"))
    return capsys.readouterr().out


@pytest.mark.django_db
def test_twice_is_once_and_staff_s_words_stay(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    told = [MIX, with_(id=2), with_(id=3, title="Other")]
    said = imported(tmp_path, told, capsys)
    assert said.splitlines() == [
        "3 new on the shelf; 0 were there already and stay as they are.",
        "3 still lack their music; upload it under Mixes:",
        "  Nairobi After Dark", "  Nairobi After Dark", "  Other",
    ]  # fmt: skip
    assert sorted(Mix.objects.values_list("slug", flat=True)) == [
        "nairobi-after-dark",
        "nairobi-after-dark-2",
        "other",
    ]
    Mix.objects.filter(slug="other").update(price_kes=99, title="Renamed")
    said = imported(tmp_path, told, capsys)
    assert said.startswith("0 new on the shelf; 3 were there already")
    assert Mix.objects.count() == 3
    assert Mix.objects.get(slug="other").price_kes == 99


@pytest.mark.django_db
def test_a_mix_that_staff_made_is_known_by_its_title(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Mix.objects.create(slug="mine", title="nairobi AFTER dark", minutes=1, price_kes=5)
    for _ in range(2):
        assert imported(tmp_path, [MIX], capsys).startswith("0 new")
    assert [(mix.slug, mix.price_kes) for mix in Mix.objects.all()] == [("mine", 5)]


@pytest.mark.django_db
def test_an_imported_mix_is_known_by_its_id_before_a_title_of_staff_s(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(tmp_path, [MIX], capsys)
    Mix.objects.create(slug="twin", title=MIX["title"], minutes=1, price_kes=5)
    imported(tmp_path, [MIX], capsys)
    assert Mix.objects.get(slug="twin").source_id is None


@pytest.mark.django_db
def test_music_in_the_file_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    inside = "data:audio/wav;base64," + base64.b64encode(wav()).decode()
    broken = "data:audio/mpeg;base64," + base64.b64encode(b"no music").decode()
    told = [with_(audioUrl=inside), with_(id=2, title="Broken", audioUrl=broken)]
    said = imported(tmp_path, told, capsys)
    assert "1 still lack" in said
    assert Mix.objects.get(title=MIX["title"]).audio_bytes == len(wav())


@pytest.mark.django_db
def test_a_mistake_changes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match=r"Nothing was changed\.\nMix 2 \(Other\): its price"):
        imported(tmp_path, [MIX, with_(id=2, title="Other", price="free")], capsys)
    assert not Mix.objects.exists()
    with pytest.raises(CommandError, match="can't be read: no such file"):
        call_command("import_mixes", str(tmp_path / "none.json"))


def somebody(role: str) -> Client:
    client = Client()
    person = User.objects.create_user(role, is_staff=True)
    person.groups.add(Group.objects.get(name=role))
    client.force_login(person)
    return client


def sent(client: Client, content: bytes) -> Any:
    return client.post(
        "/admin/orders/mix/import/", {"file": SimpleUploadedFile("m.json", content)}, follow=True
    )


@pytest.mark.django_db
def test_staff_do_the_same_in_the_desk() -> None:
    supervisor = somebody("supervisor")
    assert "Import a catalogue" in supervisor.get("/admin/orders/mix/").content.decode()
    said = sent(supervisor, json.dumps([MIX]).encode()).content.decode()
    assert "1 new on the shelf" in said
    assert "still lack their music" in said
    wrong = sent(supervisor, json.dumps([with_(price=0)]).encode())
    assert (wrong.status_code, Mix.objects.count()) == (400, 1)
    assert "its price must be whole shillings" in wrong.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("role", ["viewer", "cashier", "auditor"])
def test_others_may_not(role: str) -> None:
    client = somebody(role)
    assert "Import a catalogue" not in client.get("/admin/orders/mix/").content.decode()
    assert sent(client, json.dumps([MIX]).encode()).status_code == 403
