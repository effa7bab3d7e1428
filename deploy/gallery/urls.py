"""The gallery, the admin and, while DEBUG is on, the media files."""

from django.conf import settings
from django.conf.urls.static import static
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

from deploy.gallery import views

gallery = [
    path("albums/", views.albums, name="albums"),
    path("albums/<int:pk>/", views.album, name="album"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="gallery:albums")),
    path("", include((gallery, "gallery"))),
    path("admin/", admin.site.urls),
    *static(settings.MEDIA_URL, document_root=settings.MEDIA_ROOT),
]
