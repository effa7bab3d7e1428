"""The gallery's two pages: all albums, and one of them."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.defaultfilters import pluralize

from deploy.gallery.forms import AlbumForm, UploadForm
from deploy.gallery.models import Album
from deploy.gallery.uploads import add_photo, add_video


def albums(request: HttpRequest) -> HttpResponse:
    """Every album with its cover, and the form that starts a new one."""
    form = AlbumForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        return redirect(form.save())
    return render(request, "gallery/albums.html", {"albums": _counted_albums(), "form": form})


def album(request: HttpRequest, pk: int) -> HttpResponse:
    """The photos and videos of one album, and the form that adds to them."""
    shown = get_object_or_404(Album, pk=pk)
    form = UploadForm()
    if request.method == "POST":
        form = UploadForm(request.POST, request.FILES)
        if form.is_valid():
            messages.success(request, _keep(shown, form))
            return redirect(shown)
    content = {
        "album": shown,
        "photos": shown.photos.prefetch_related("tags", "renditions").order_by("-uploaded_at", "pk"),
        "videos": shown.videos.prefetch_related("tags").order_by("pk"),
        "form": form,
    }
    return render(request, "gallery/album.html", content)


def _counted_albums() -> QuerySet[Album]:
    return (
        Album.objects.select_related("cover")
        .annotate(
            photo_count=Count("photos", distinct=True),
            video_count=Count("videos", distinct=True),
        )
        .order_by("pk")
    )


@transaction.atomic
def _keep(album: Album, form: UploadForm) -> str:
    """What was added, as a sentence."""
    photos = [add_photo(album, upload) for upload in form.cleaned_data["photos"]]
    videos = [add_video(album, upload) for upload in [form.cleaned_data["video"]] if upload]
    counts = [
        f"{len(added)} {kind}{pluralize(len(added))}"
        for kind, added in (("photo", photos), ("video", videos))
        if added
    ]
    return f"Added {' and '.join(counts)}."
