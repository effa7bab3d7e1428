"""Names the gallery to Django."""

from django.apps import AppConfig


class GalleryConfig(AppConfig):
    name = "deploy.gallery"
    label = "gallery"
    default_auto_field = "django.db.models.BigAutoField"
