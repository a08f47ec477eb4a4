"""What staff upload for a mix: read before it is kept, by its bytes and not by its name."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from orders.models import Mix
from tests.support.music import wav

pytestmark = pytest.mark.django_db
ADD = "/admin/orders/mix/add/"


@pytest.fixture
def owner() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("kraph", password="x"))
    return client


def sent(client: Client, *, path: str = ADD, **files: tuple[str, bytes]) -> Any:
    form: dict[str, Any] = {
        "slug": "new-mix", "title": "New Mix", "minutes": "60", "price_kes": "1000", "on_sale": "on", "blurb": "",
        "genre": "",
    }  # fmt: skip
    return client.post(path, form | {field: SimpleUploadedFile(*told) for field, told in files.items()})


def errors(answer: Any) -> str:
    return str(answer.context["adminform"].form.errors.get_json_data())


def test_a_mix_is_uploaded_with_a_preview(owner: Client) -> None:
    answer = sent(owner, audio=("../../../etc/My Mix!.mp3", wav()), preview=("p", wav("p", 1.0)))
    assert answer.status_code == 302
    mix = Mix.objects.get()
    assert (mix.audio_bytes, mix.audio_seconds, mix.preview_bytes) == (len(wav()), 2, len(wav("p", 1.0)))
    assert mix.audio.name == f"new-mix-{mix.audio_sha256[:12]}.wav"  # as its bytes say
    assert Path(mix.audio.path).read_bytes() == wav()
    assert Path(mix.audio.path).stat().st_mode & 0o777 == 0o600


def test_another_file_takes_its_place(owner: Client) -> None:
    sent(owner, audio=("a.wav", wav()))
    mix = Mix.objects.get()
    assert (
        sent(owner, path=f"/admin/orders/mix/{mix.pk}/change/", audio=("b.wav", wav("b"))).status_code == 302
    )
    was, mix = mix.audio_sha256, Mix.objects.get()
    assert mix.audio_sha256 != was
    assert Path(mix.audio.path).read_bytes() == wav("b")
    assert (
        sent(owner, path=f"/admin/orders/mix/{mix.pk}/change/").status_code == 302
    )  # nothing new: all stays
    assert Mix.objects.get().audio_sha256 == mix.audio_sha256


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"MZ" + b"\0" * 500, "is no .mp3"),
        (b"<html><script>alert(1)</script></html>", "is no .mp3"),
        (b"%PDF-1.7 " + b"x" * 300, "is no .mp3"),
        (b"PK\3\4" + b"\0" * 300, "is no .mp3"),
        (b"ID3\4\0\0\0\0\0\0" + b"\0" * 200, "music"),
        (wav("short", 0.5), "less than a second"),
        (b"", "empty"),
    ],
)
def test_what_is_no_music_is_refused_in_words(owner: Client, content: bytes, told: str) -> None:
    answer = sent(owner, audio=("mix.mp3", content))
    assert answer.status_code == 200
    assert told in errors(answer)
    assert not Mix.objects.exists()


def test_a_preview_is_short(owner: Client) -> None:
    answer = sent(owner, preview=("p.wav", wav("p", 92.0)))
    assert "Cut it to 90" in errors(answer)


def test_a_file_beyond_the_limit_is_refused(owner: Client, settings: Any) -> None:
    settings.AUDIO_MAX_BYTES = 40_000
    assert "is the most" in errors(sent(owner, audio=("a.wav", wav())))


def test_a_mix_may_be_larger_than_a_statement(owner: Client, settings: Any) -> None:
    settings.UPLOAD_MAX_BYTES = 20_000
    assert sent(owner, audio=("a.wav", wav())).status_code == 302


def test_staff_hear_what_was_uploaded_and_nobody_else_by_that_address(owner: Client) -> None:
    sent(owner, audio=("a.wav", wav()), preview=("p.wav", wav("p", 1.0)))
    mix = Mix.objects.get()
    page = owner.get(f"/admin/orders/mix/{mix.pk}/change/").content.decode()
    for file, content in ((mix.audio, wav()), (mix.preview, wav("p", 1.0))):
        assert f'href="{file.url}"' in page
        assert b"".join(owner.get(file.url).streaming_content) == content  # type: ignore[arg-type]
        assert Client().get(file.url).status_code == 302
    assert owner.get("/admin/orders/mix/file/nobodys.wav").status_code == 404
    viewer = Client()
    viewer.force_login(User.objects.create_user("viewer", is_staff=True))
    assert viewer.get(mix.audio.url).status_code == 403
