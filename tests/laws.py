"""With how many examples a law is tried: in the gate it is tried up to four times."""

import os

from tests.settings import ON_POSTGRESQL

TIMES = float(os.environ.get("LAW_EXAMPLES", "1"))  # more for a long search, less for a quick look


def examples(usual: int) -> int:
    """How many examples a law gets on this database: on PostgreSQL half as many as on SQLite."""
    return max(1, int(usual * TIMES / (2 if ON_POSTGRESQL else 1)))
