"""Settings of the reference site: ready for `runserver`, and set by the environment where it is deployed."""

import os
from pathlib import Path

import dj_database_url

BASE_DIR = Path(__file__).resolve().parents[2]

# Defaults for one's own machine: a deployment sets SECRET_KEY, DEBUG=0 and ALLOWED_HOSTS (comma-separated).
SECRET_KEY = os.environ.get("SECRET_KEY", "django-insecure-for-one-machine-only")
DEBUG = os.environ.get("DEBUG", "1").lower() in {"1", "true", "yes", "on"}
ALLOWED_HOSTS = os.environ.get("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]").split(",")

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "auditor",
    "watcher",
    "deploy.gallery",
]

AUDITOR_MODELS = ["gallery.Photo", "gallery.Video"]
AUDITOR_JSON_INTO = os.environ.get("AUDITOR_JSON_INTO", "")
AUDITOR_STATE_DIR = os.environ.get("STATE_DIRECTORY", str(BASE_DIR / "var" / "state"))

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

if not DEBUG:
    # `runserver` finds static files where they lie; a deployment serves those that collectstatic has gathered.
    MIDDLEWARE.insert(1, "whitenoise.middleware.WhiteNoiseMiddleware")
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }

ROOT_URLCONF = "deploy.gallery.urls"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    }
]


def default_database_url() -> str:
    """A SQLite file in var/, which is made on the way."""
    var = BASE_DIR / "var"
    var.mkdir(exist_ok=True)
    return f"sqlite:///{var / 'gallery.sqlite3'}"


DATABASES = {"default": dj_database_url.parse(os.environ.get("DATABASE_URL") or default_database_url())}

if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    # Readers beside one writer, no read that becomes a write midway, nothing lost in a power cut.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
        "timeout": 20,  # seconds
    }

MEDIA_ROOT = os.environ.get("GALLERY_MEDIA_ROOT", str(BASE_DIR / "media"))
MEDIA_URL = "media/"
STATIC_ROOT = BASE_DIR / "var" / "static"
STATIC_URL = "static/"

USE_TZ = True
TIME_ZONE = os.environ.get("TZ") or "UTC"
LANGUAGE_CODE = "en-us"

DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
