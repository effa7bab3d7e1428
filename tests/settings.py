"""The project the tests run in: the gallery and the awkward shapes, on the database that TEST_DATABASE names."""

import os
import tempfile

import dj_database_url

SECRET_KEY = "tests"
USE_TZ = True
TIME_ZONE = "UTC"
ROOT_URLCONF = "deploy.gallery.urls"
STATIC_URL = "static/"
MEDIA_URL = "media/"
MEDIA_ROOT = os.environ.get("TEST_MEDIA_ROOT", "/nonexistent/media")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUDITOR_MODELS = ["gallery.Photo", "gallery.Video"]
AUDITOR_STATE_DIR = os.environ.get("STATE_DIRECTORY", os.path.join(tempfile.gettempdir(), "auditor-tests-state"))
AUDITOR_WATERMARK_SECONDS = float(os.environ.get("TEST_WATERMARK_SECONDS", "2"))
AUDITOR_FRESHNESS_SECONDS = float(os.environ.get("TEST_FRESHNESS_SECONDS", "30"))
AUDITOR_POLL_SECONDS = float(os.environ.get("TEST_POLL_SECONDS", "20"))
AUDITOR_UNUSED_MIN_AGE = os.environ.get("TEST_UNUSED_MIN_AGE", "24h")
AUDITOR_STALL_SECONDS = float(os.environ.get("TEST_STALL_SECONDS", "60"))

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgres://postgres@127.0.0.1:5432/postgres")
ON_POSTGRESQL = os.environ.get("TEST_DATABASE", "sqlite") == "postgresql"

if ON_POSTGRESQL:
    DATABASES = {"default": dj_database_url.parse(POSTGRES_URL)}
    DATABASES["default"]["TEST"] = {"NAME": f"test_auditor_{os.getpid()}"}  # two runs on one server are apart
else:
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": ":memory:",
            # A file, not memory: the tests start programs of their own that open the same database.
            "TEST": {"NAME": os.path.join(tempfile.gettempdir(), f"auditor-tests-{os.getpid()}.sqlite3")},
            "OPTIONS": {
                "timeout": 20,
                "transaction_mode": "IMMEDIATE",
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
            },
        }
    }

# A program that a test starts uses the database that the test made.
DATABASES["default"]["NAME"] = os.environ.get("TEST_DATABASE_NAME", DATABASES["default"]["NAME"])

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "auditor",
    "watcher",
    "deploy.gallery",
    "tests.shapes",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "tests.browser.policy.strict_policy",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
