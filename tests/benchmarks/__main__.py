"""`make bench`: measures everything, or a part of it, and prints one table."""

import time
from argparse import ArgumentParser
from collections.abc import Sequence

from tests.benchmarks import page
from tests.benchmarks.cases import CASES, EVERYTHING, groups
from tests.benchmarks.databases import KINDS
from tests.benchmarks.libraries import forget
from tests.benchmarks.measuring import ROUNDS, NotMeasuredError
from tests.benchmarks.scope import Scope
from tests.benchmarks.table import Figures, Group, Table, heading, line


def main() -> None:
    """Measures, and writes the rows that were measured to the page in `docs/`."""
    parser = ArgumentParser(prog="python -m tests.benchmarks")
    parser.add_argument("--sizes", nargs="*", type=int, default=[], help="records, instead of all sizes")
    parser.add_argument("--only", nargs="*", choices=[*CASES], default=[], help="cases, instead of all")
    parser.add_argument("--databases", nargs="*", choices=[kind.label.lower() for kind in KINDS], default=[])
    parser.add_argument("--forget", action="store_true", help="remove what is kept for the next run, and leave")
    options = parser.parse_args()
    if options.forget:
        forget()
        return
    scope = Scope(
        sizes=tuple(sorted(options.sizes)) or EVERYTHING.sizes,
        kinds=tuple(kind for kind in KINDS if kind.label.lower() in (options.databases or kind.label.lower())),
    )
    begun = time.monotonic()
    table = measure(list(options.only or CASES), scope)
    minutes = (time.monotonic() - begun) / 60
    print(f"\n{table.missed()} targets missed, {minutes:.0f} minutes", flush=True)
    if ROUNDS == 5:
        page.write(table)
        print(f"{page.PAGE} has these figures now.")


def measure(names: list[str], scope: Scope) -> Table:
    """Measures the cases one after the other, and prints each row as soon as it is known."""
    table = Table()
    print(heading(), flush=True)
    for group in groups(names, scope):
        results = attempt(group)
        for row, figures in zip(group.rows, results, strict=True):
            print(line(table.add(row, figures)), flush=True)
    return table


def attempt(group: Group) -> Sequence[Figures | str]:
    """The figures of a group, or why there are none."""
    try:
        return group.measure()
    except NotMeasuredError as error:
        return [str(error)] * len(group.rows)


if __name__ == "__main__":
    main()
