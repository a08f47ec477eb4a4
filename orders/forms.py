"""What staff fill in for the shelf: the files of a mix are read before they are kept."""

from typing import Any, BinaryIO, cast

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.template.defaultfilters import filesizeformat

from orders.catalogue import Unreadable, read_catalogue, some
from orders.delivery.audio import Music, NotMusic, read_music
from orders.models import MAX_TOTAL_KES, Mix
from orders.services import name_of_file, note_file

PREVIEW_SECONDS = 90
FILES = ("audio", "preview")


class MixForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = Mix
        fields = "__all__"  # noqa: DJ007 — what staff may not set is not editable

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._read: dict[str, Music] = {}

    def clean_audio(self) -> Any:
        return self._checked("audio")

    def clean_preview(self) -> Any:
        file = self._checked("preview")
        music = self._read.get("preview")
        if music is not None and music.seconds > PREVIEW_SECONDS:
            raise forms.ValidationError(
                f"This preview plays {music.seconds} seconds. Cut it to {PREVIEW_SECONDS}, or everybody hears the mix."
            )
        return file

    def _checked(self, name: str) -> Any:
        """Only what is uploaded now: what is there already was read when it came."""
        file = self.cleaned_data[name]
        if not isinstance(file, UploadedFile):
            return file
        size = file.size or 0
        if size > settings.AUDIO_MAX_BYTES:
            most = filesizeformat(settings.AUDIO_MAX_BYTES)
            raise forms.ValidationError(
                f"This file has {filesizeformat(size)}; {most} is the most (AUDIO_MAX_MB)."
            )
        try:
            music = read_music(cast("BinaryIO", file.file))
        except NotMusic as bad:
            raise forms.ValidationError(str(bad)) from bad
        self._read[name] = music
        file.name = name_of_file(self.cleaned_data.get("slug") or "mix", music)
        return file

    def save(self, commit: bool = True) -> Any:
        for name in FILES:
            if name in self._read:
                note_file(self.instance, name, self._read[name])
            elif not getattr(self.instance, name):
                note_file(self.instance, name, None)
        return super().save(commit=commit)


class CatalogueForm(forms.Form):
    """A file as `orders.catalogue` reads it; `entries` once it is valid."""

    file = forms.FileField(label="File", help_text="JSON: a list of mixes, as your page keeps it")

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        try:
            self.entries = read_catalogue(file.read(), most_kes=MAX_TOTAL_KES)
        except Unreadable as bad:
            raise forms.ValidationError(["Nothing was changed.", *some(bad.wrong)]) from bad
        return file
