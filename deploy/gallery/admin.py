"""The gallery in Django's admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from deploy.gallery.forms import PhotoAdminForm
from deploy.gallery.models import Album, CustomAlbum, Photo, Rendition, Tag, Video
from deploy.gallery.uploads import derive

# ModelAdmin takes its type parameter in the stubs only, hence the ignores.


@admin.register(Photo)
class PhotoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Makes the derived files of every new picture."""

    form = PhotoAdminForm
    list_display = ["__str__", "album", "uploaded_at"]
    list_filter = ["album", "tags"]
    readonly_fields = ["thumbnail"]
    search_fields = ["image"]

    def save_model(self, request: HttpRequest, obj: Photo, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "image" in form.changed_data:
            derive(obj)


@admin.register(Video)
class VideoAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "album"]
    list_filter = ["album", "tags"]
    search_fields = ["video"]


@admin.register(Album)
class AlbumAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["name", "cover"]
    raw_id_fields = ["cover"]
    search_fields = ["name"]


@admin.register(CustomAlbum)
class CustomAlbumAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    filter_horizontal = ["photos", "videos"]
    search_fields = ["name"]


@admin.register(Rendition)
class RenditionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ["__str__", "file"]
    raw_id_fields = ["photo"]


@admin.register(Tag)
class TagAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    search_fields = ["name"]
