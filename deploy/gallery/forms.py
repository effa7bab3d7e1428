"""The forms of the gallery's pages and of its admin."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from deploy.gallery.models import PHOTO_EXTENSIONS, VIDEO_EXTENSIONS, Album, Photo
from deploy.gallery.uploads import Upload, check_photo, check_video

# ModelForm takes its type parameter in the stubs only, hence the ignores.


def accept(extensions: list[str]) -> dict[str, str]:
    """The attribute that makes a file dialog offer these extensions only."""
    return {"accept": ",".join(f".{extension}" for extension in extensions)}


class SeveralFilesInput(forms.FileInput):
    """A file dialog that takes more than one choice."""

    allow_multiple_selected = True


class PhotosField(forms.FileField):
    """Any number of photos out of one input, as a list; each refused one gets its own sentence."""

    widget = SeveralFilesInput(attrs=accept(PHOTO_EXTENSIONS))

    def clean(self, data: list[Upload], _initial: Any = None) -> list[Upload]:
        refusals = [refusal for upload in data if (refusal := _refusal(upload))]
        if refusals:
            raise ValidationError(refusals)
        return data


class UploadForm(forms.Form):
    """Photos, a video, or both."""

    photos = PhotosField(required=False, help_text="JPEG, PNG, GIF or WebP; several at once if you like.")
    video = forms.FileField(
        required=False,
        allow_empty_file=True,  # check_video says it by name
        validators=[check_video],
        widget=forms.FileInput(attrs=accept(VIDEO_EXTENSIONS)),
        help_text="MP4, M4V or WebM.",
    )

    def clean(self) -> dict[str, Any]:
        chosen = super().clean() or {}
        if not self.errors and not any(chosen.values()):
            raise ValidationError("Choose photos or a video first.")
        return chosen


class AlbumForm(forms.ModelForm):  # type: ignore[type-arg]
    """What a new album needs before anything is in it."""

    class Meta:
        model = Album
        fields = ["name"]
        error_messages = {"name": {"required": "Give the album a name."}}


class PhotoAdminForm(forms.ModelForm):  # type: ignore[type-arg]
    """A photo whose file, if it is a new one, was read before it is kept."""

    class Meta:
        model = Photo
        fields = ["image", "album", "tags"]

    def clean_image(self) -> Any:
        image = self.cleaned_data["image"]
        if "image" in self.changed_data:
            check_photo(image)
        return image


def _refusal(upload: Upload) -> ValidationError | None:
    try:
        check_photo(upload)
    except ValidationError as refusal:
        return refusal
    return None
