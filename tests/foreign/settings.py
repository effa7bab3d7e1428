"""The project of somebody who has django-avatar, and has added the auditor without a word of configuration."""

import os

FOLDER = os.environ.get("FOREIGN_FOLDER", "/nonexistent")
SECRET_KEY = "foreign"
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(FOLDER, "db.sqlite3")}}
MEDIA_ROOT = os.path.join(FOLDER, "media")
MEDIA_URL = "media/"
STATIC_URL = "static/"
ROOT_URLCONF = "tests.foreign.urls"
AUDITOR_UNUSED_MIN_AGE = os.environ.get("TEST_UNUSED_MIN_AGE", "24h")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
ALLOWED_HOSTS = ["testserver"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "avatar",
    "auditor",
    "watcher",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
