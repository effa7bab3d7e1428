"""The gallery, the admin and the media files, which a web server in front may serve itself."""

from django.conf import settings
from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView
from django.views.static import serve

from deploy.gallery import views

gallery = [
    path("albums/", views.albums, name="albums"),
    path("albums/<int:pk>/", views.album, name="album"),
]

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="gallery:albums")),
    path("", include((gallery, "gallery"))),
    path("admin/", admin.site.urls),
    path("media/<path:path>", serve, {"document_root": settings.MEDIA_ROOT}),
]
