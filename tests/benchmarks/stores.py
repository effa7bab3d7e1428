"""An object store whose every answer takes its time: looks one by one, in threads, and by listing.

The server is a process of its own, and speaks S3 over real sockets.
`python -m tests.benchmarks.stores` measures once; with a latency it is the server.
"""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

from tests.benchmarks.databases import CACHE, Sqlite
from tests.benchmarks.libraries import site
from tests.benchmarks.measuring import module
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Row

NAMES = [f"documents/{number:03}.pdf" for number in range(500)]
MISSING = 5
LATENCIES = (0.001, 0.02)  # seconds: of a server next door, and of a usual object store
ONE_BY_ONE, IN_THREADS, BY_LISTING = "one by one", "in 10 threads", "by listing"
STORES = {f"object store of {latency * 1_000:.0f} ms": (ONE_BY_ONE, IN_THREADS, BY_LISTING) for latency in LATENCIES}
PLACES = STORES | {"adapter that only waits 1 ms": (ONE_BY_ONE, IN_THREADS)}


def groups(_: Scope) -> Iterator[Group]:
    """One group for all latencies."""
    rows = (
        Row(what=f"{place}, {way}", size=len(NAMES), to="" if way == ONE_BY_ONE else ONE_BY_ONE)
        for place, ways in PLACES.items()
        for way in ways
    )
    yield Group(rows=tuple(rows), measure=compare)


def compare() -> list[Figures]:
    """The figures of the rows, each taken once."""
    taken: list[list[float]] = module(site(Sqlite("none"), CACHE), "stores")["taken"]
    return [
        Figures(seconds=seconds, ratio=seconds / ways[0] if at else None)
        for ways in taken
        for at, seconds in enumerate(ways)
    ]


def main() -> None:
    """Measures each way at each latency, and prints the seconds as JSON."""
    import django

    django.setup()
    print(json.dumps({"taken": [*map(measure, LATENCIES), [waiting(1), waiting(10)]]}))


def measure(latency: float) -> list[float]:
    """Seconds one by one, in threads and by listing."""
    from auditor.orphans.remote import RemoteDisk, look_now
    from auditor.orphans.s3 import S3Adapter
    from tests.s3_server import s3_storage

    with serving(latency) as server:
        assert server.stdout is not None
        adapter = S3Adapter(s3_storage(server.stdout.readline().strip(), location="site"))
        assert adapter.read(".media-root") is not None  # its client is made, and no part of any side
        allowed, results = adapter.threads, []
        for threads in (1, allowed):
            adapter.threads = threads
            results.append(timed(lambda: len([look for look in look_now(adapter, NAMES).values() if look.reason])))
        results.append(timed(lambda: len(RemoteDisk(adapter).judge(NAMES)) - MISSING))
        server.kill()
    return results


def waiting(threads: int) -> float:
    """Seconds for looks of an adapter that does nothing but wait."""
    from auditor.orphans.disk import PRESENT, Look
    from auditor.orphans.remote import look_now
    from tests.orphans.storing import Shelf, make_shelf

    class Waiting(Shelf):
        def look_at(self, name: str) -> Look:
            time.sleep(LATENCIES[0])
            return PRESENT

    shelf = make_shelf(kind=Waiting)
    shelf.threads = threads
    return timed(lambda: len(look_now(shelf, NAMES)) - len(NAMES))


def timed(work: Callable[[], int]) -> float:
    """How long it takes; it gives back how many names it got wrong."""
    begun = time.perf_counter()
    assert work() == 0
    return time.perf_counter() - begun


def serving(latency: float) -> "subprocess.Popen[str]":
    """The server, which prints where it is."""
    arguments = [sys.executable, "-m", "tests.benchmarks.stores", str(latency)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)


def serve(latency: float) -> None:
    """Is the server, until it is killed."""
    from tests.s3_server import s3_server

    with s3_server() as s3:
        s3.buckets["media"] = {f"site/{name}": b"" for name in (*NAMES[MISSING:], ".media-root")}
        s3.latency_seconds = latency
        print(s3.url, flush=True)
        s3.closing.wait()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(float(sys.argv[1]))
    else:
        main()
