"""Fills a database with the records of a library: `python -m tests.benchmarks.building SIZE LAYOUT`."""

import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import TypeVar

Made = TypeVar("Made")
BATCH = 5_000


def main(size: int, layout: str) -> None:
    """Makes the records, a thousand to an album."""
    from tests.benchmarks.libraries import IN_A_FOLDER, Layout, name

    def fill() -> None:
        from deploy.gallery.models import Album, Photo

        albums = Album.objects.bulk_create(
            [Album(name=f"Album {number}") for number in range(-(-size // IN_A_FOLDER))], batch_size=BATCH
        )
        for numbers in portions(range(size)):
            Photo.objects.bulk_create(
                [Photo(image=name(number, Layout[layout]), album=albums[number // IN_A_FOLDER]) for number in numbers],
                batch_size=BATCH,
            )

    build(fill)


def build(fill: Callable[[], None]) -> None:
    """Makes the tables, and has them filled and analysed; prints what a side prints."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    call_command("migrate", verbosity=0, run_syncdb=True)
    fill()
    with connection.cursor() as cursor:
        # Or PostgreSQL does it some time later, while something is measured.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    print("{}")


def portions(some: Iterable[Made]) -> Iterator[list[Made]]:
    """The same in lists of a size that fits into memory."""
    rest = iter(some)
    while portion := list(islice(rest, BATCH)):
        yield portion


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
