import json
import os
import subprocess
import sys
from typing import Any

SHOW = """
import json
from deploy.gallery import settings
print(json.dumps({name: getattr(settings, name) for name in dir(settings) if name.isupper()}, default=str))
"""


def settings_with(**environment: str) -> Any:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", SHOW], env=kept | environment, capture_output=True, check=True, text=True
    )
    return json.loads(done.stdout)


def test_sqlite_is_always_write_ahead_and_fully_synchronous() -> None:
    database = settings_with(DATABASE_URL="sqlite:////tmp/elsewhere.sqlite3")["DATABASES"]["default"]

    assert (database["NAME"], database["OPTIONS"]) == (
        "/tmp/elsewhere.sqlite3",
        {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL",
            "timeout": 20,
        },
    )


def test_postgresql_is_left_as_its_url_says() -> None:
    database = settings_with(DATABASE_URL="postgres://web@db:5433/gallery")["DATABASES"]["default"]

    assert {name: database[name] for name in ("ENGINE", "HOST", "NAME", "PORT", "USER")} == {
        "ENGINE": "django.db.backends.postgresql",
        "HOST": "db",
        "NAME": "gallery",
        "PORT": 5433,
        "USER": "web",
    }
    assert "OPTIONS" not in database


def test_deployment_sets_its_own() -> None:
    own = settings_with(
        DATABASE_URL="sqlite:////tmp/elsewhere.sqlite3",
        GALLERY_MEDIA_ROOT="/srv/media",
        SECRET_KEY="of its own",
        DEBUG="0",
        ALLOWED_HOSTS="photos.example,www.photos.example",
        TZ="Europe/Lisbon",
    )

    names = ("MEDIA_ROOT", "SECRET_KEY", "DEBUG", "ALLOWED_HOSTS", "TIME_ZONE")
    assert [own[name] for name in names] == [
        "/srv/media",
        "of its own",
        False,
        ["photos.example", "www.photos.example"],
        "Europe/Lisbon",
    ]
