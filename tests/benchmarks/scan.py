"""The full scan against the loop that a person would write first, on one library, in one run.

Each side runs in a process of its own, three times; the best time counts, start-up taken off.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import TypeAlias

Work: TypeAlias = Callable[[], int]

RECORDS = 100_000
IN_A_FOLDER = 1_000
ROUNDS = 5


def main() -> None:
    """Builds the library, measures, prints one table."""
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "TEST_DATABASE": "sqlite",
            "TEST_DATABASE_NAME": f"{folder}/library.sqlite3",
            "TEST_MEDIA_ROOT": f"{folder}/media",
        }
        side(environment, "build")
        loop, scan = (best(environment, name) for name in ("loop", "scan"))
    print(f"{RECORDS:,} records in folders of {IN_A_FOLDER:,}, 1 % orphaned, SQLite, warm cache, best of {ROUNDS}")
    print(f"{'':32}{'seconds':>9}{'peak MB':>9}{'orphans':>9}")
    for label, result in (("loop over objects.all(), exists()", loop), ("cleanup_orphaned_media, scan", scan)):
        print(f"{label:32}{result['seconds']:>9.2f}{result['peak_mb']:>9.0f}{result['orphans']:>9}")
    print(f"ratio {loop['seconds'] / scan['seconds']:.1f}")


def best(environment: dict[str, str], name: str) -> dict[str, float]:
    """The fastest of several rounds of one side."""
    return min((side(environment, name) for _ in range(ROUNDS)), key=lambda result: result["seconds"])


def side(environment: dict[str, str], name: str) -> dict[str, float]:
    """One round of one side, in a process of its own."""
    arguments = [sys.executable, "-m", "tests.benchmarks.scan", name]
    done = subprocess.run(arguments, env=environment, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def build() -> Work:
    """The library: every hundredth record's file is not there."""
    from django.conf import settings
    from django.core.management import call_command

    from deploy.gallery.models import Album, Photo

    def work() -> int:
        call_command("migrate", verbosity=0, run_syncdb=True)
        album = Album.objects.create(name="Benchmark")
        names = [f"photos/{number // IN_A_FOLDER:03}/{number:06}.jpg" for number in range(RECORDS)]
        for number, name in enumerate(names):
            path = os.path.join(settings.MEDIA_ROOT, name)
            if number % IN_A_FOLDER == 0:
                os.makedirs(os.path.dirname(path))
            if number % 100:
                open(path, "w").close()
        Photo.objects.bulk_create([Photo(image=name, album=album) for name in names], batch_size=500)
        return 0

    return work


def loop() -> Work:
    """What one would write first."""
    from deploy.gallery.models import Photo

    return lambda: sum(not os.path.exists(photo.image.path) for photo in Photo.objects.all())


def scan() -> Work:
    """What the command does between its start and its summary."""
    from auditor.orphans.finder import find
    from auditor.orphans.registry import audited_models
    from auditor.orphans.route import RouteKind
    from auditor.orphans.survey import make_survey

    def work() -> int:
        audited = audited_models()
        plan = find(audited, make_survey(audited, using="default", wanted=RouteKind.SCAN))
        return plan.orphans_total()

    return work


def measure(side: Callable[[], Work]) -> None:
    """Runs one side, all it needs being imported and connected, and prints what it took as JSON."""
    import django

    django.setup()
    work = side()
    from django.db import connection

    connection.ensure_connection()
    begun = time.perf_counter()
    orphans = work()
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "peak_mb": peak, "orphans": orphans}))


if __name__ == "__main__":
    sides = {"build": build, "loop": loop, "scan": scan}
    if len(sys.argv) > 1:
        measure(sides[sys.argv[1]])
    else:
        main()
