"""Albums, what they hold, and the files behind it."""

from pathlib import PurePosixPath

from django.core.validators import FileExtensionValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone

# What browsers show without a plug-in.
PHOTO_EXTENSIONS = ["jpg", "jpeg", "png", "gif", "webp"]
VIDEO_EXTENSIONS = ["mp4", "m4v", "webm"]


class Tag(models.Model):
    """A word that photos and videos share."""

    name = models.CharField(max_length=50, unique=True)

    def __str__(self) -> str:
        return self.name


class Album(models.Model):
    """What photos and videos are kept in, shown by its cover."""

    name = models.CharField(max_length=100)
    cover = models.ForeignKey("Photo", models.SET_NULL, null=True, blank=True, related_name="+")

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("gallery:album", args=[self.pk])


class Photo(models.Model):
    """A picture as it was uploaded, and the thumbnail made from it."""

    image = models.ImageField(upload_to="photos/", validators=[FileExtensionValidator(PHOTO_EXTENSIONS)])
    thumbnail = models.ImageField(upload_to="thumbnails/", blank=True)
    album = models.ForeignKey(Album, models.CASCADE, related_name="photos")
    tags = models.ManyToManyField(Tag, blank=True, related_name="photos")
    uploaded_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return PurePosixPath(self.image.name or "").name


class Video(models.Model):
    """A film as it was uploaded; one without an album is seen only in custom albums and the admin."""

    video = models.FileField(upload_to="videos/", validators=[FileExtensionValidator(VIDEO_EXTENSIONS)])
    thumbnail = models.ImageField(upload_to="thumbnails/", blank=True)
    album = models.ForeignKey(Album, models.CASCADE, null=True, blank=True, related_name="videos")
    tags = models.ManyToManyField(Tag, blank=True, related_name="videos")

    def __str__(self) -> str:
        return PurePosixPath(self.video.name or "").name


class CustomAlbum(models.Model):
    """A choice of photos and videos from any album."""

    name = models.CharField(max_length=100)
    photos = models.ManyToManyField(Photo, blank=True, related_name="custom_albums")
    videos = models.ManyToManyField(Video, blank=True, related_name="custom_albums")

    def __str__(self) -> str:
        return self.name


class Rendition(models.Model):
    """A photo at another width, in pixels; it goes when its photo goes."""

    photo = models.ForeignKey(Photo, models.CASCADE, related_name="renditions")
    width = models.PositiveIntegerField()
    file = models.ImageField(upload_to="renditions/")

    def __str__(self) -> str:
        return f"{self.photo} at {self.width} px"
