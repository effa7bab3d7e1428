"""The pages of django-avatar."""

from django.urls import include, path

urlpatterns = [path("avatar/", include("avatar.urls"))]
