"""What the scan is measured against, each in a process of its own: `python -m tests.benchmarks.references NAME`.

Each prints its seconds, start-up taken off, and how many orphans it found.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from tests.benchmarks.databases import POSTGRES_URL

FIND = ["find", ".", "-type", "f", "-printf", "%P\\n"]
JOIN = """
mkfifo "$1/disk" "$1/database"
find . -type f -printf '%P\\n' | sort > "$1/disk" &
"$2" -m tests.benchmarks.references column | sort > "$1/database" &
comm -13 "$1/disk" "$1/database" | wc -l
"""


def loop() -> int:
    """What one would write first."""
    from deploy.gallery.models import Photo

    return sum(not os.path.exists(photo.image.path) for photo in Photo.objects.all())


def values_list() -> int:
    """What one would write second."""
    from deploy.gallery.models import Photo

    storage = Photo._meta.get_field("image").storage
    return sum(not storage.exists(name) for name in Photo.objects.values_list("image", flat=True).iterator())


def tools() -> int:
    """The limit in tools: both lists sorted and compared, side by side where there are cores."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            ["bash", "-c", JOIN, "join", folder, sys.executable],
            cwd=os.environ["TEST_MEDIA_ROOT"],
            env=os.environ | {"LC_ALL": "C", "PYTHONPATH": os.getcwd()},
            check=True,
            capture_output=True,
        )
    return int(done.stdout)


def sets() -> int:
    """The limit in C: `find`, the column, and the difference of two sets."""
    found = subprocess.run(FIND, cwd=os.environ["TEST_MEDIA_ROOT"], check=True, capture_output=True).stdout
    there = set(found.split(b"\n"))
    with column() as rows:
        return len(set(rows) - there)


def print_column() -> int:
    """The bare column, a name to a line."""
    with column() as rows:
        sys.stdout.buffer.write(b"\n".join(rows) + b"\n")
    return 0


def bare() -> int:
    """What the search for unused files cannot do with less: every file listed by `find`, every name read."""
    list_files()
    with column("image, thumbnail") as rows:
        return len(rows)


def bare_in_django() -> int:
    """The same for an app: the names are read with `values_list`."""
    from deploy.gallery.models import Photo

    list_files()
    return sum(1 for _ in Photo.objects.values_list("image", "thumbnail").iterator())


def list_files() -> None:
    """Every file, to nowhere."""
    subprocess.run(FIND, cwd=os.environ["TEST_MEDIA_ROOT"], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def column(columns: str = "image") -> Iterator[list[bytes]]:
    """All names as bytes, as quickly as the database's driver gives them; of more than one column, lines."""
    query = f"SELECT {columns} FROM gallery_photo"
    name = os.environ["TEST_DATABASE_NAME"]
    if os.environ["TEST_DATABASE"] == "sqlite":
        import sqlite3

        connection: Any = sqlite3.connect(name)
        connection.text_factory = bytes
        yield [row[0] for row in connection.execute(query)]
    else:
        import psycopg

        connection = psycopg.connect(POSTGRES_URL, dbname=name)
        with connection.cursor().copy(f"COPY ({query}) TO STDOUT") as copy:
            yield b"".join(copy).split(b"\n")[:-1]
    connection.close()


SIDES: dict[str, Callable[[], int]] = {
    "loop": loop,
    "values_list": values_list,
    "tools": tools,
    "sets": sets,
    "bare": bare,
    "bare_in_django": bare_in_django,
}


def main(name: str) -> None:
    """Runs one of them; those that use Django find it set up and connected."""
    if name == "column":
        print_column()
        return
    if name in ("loop", "values_list", "bare_in_django"):
        import django

        django.setup()
        from django.db import connection

        connection.ensure_connection()
    begun = time.perf_counter()
    orphans = SIDES[name]()
    print(json.dumps({"seconds": time.perf_counter() - begun, "orphans": orphans}))


if __name__ == "__main__":
    main(sys.argv[1])
