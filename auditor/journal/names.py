"""What the triggers of a column are called: recognisable, and short enough for either database."""

import re
from hashlib import sha256

from auditor.journal.columns import Column

PREFIX = "auditor_journal_"
READABLE = 36  # of PostgreSQL's 63 bytes, the prefix takes 16, the hash 9, and a trigger's ending 2


def name_of(column: Column) -> str:
    """The name that is common to a column's triggers: another one for each column."""
    readable = re.sub(r"[^a-z0-9]", "_", column.id.lower())[:READABLE]
    return f"{PREFIX}{readable}_{sha256(column.id.encode()).hexdigest()[:8]}"
