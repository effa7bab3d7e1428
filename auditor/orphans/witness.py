"""Whether a media folder is one that records know: a file that one of them names is there."""

from auditor.orphans import references
from auditor.orphans.disk import Disk, is_any_there
from auditor.orphans.registry import audited_models


def is_witnessed(root: str, *, using: str) -> bool:
    """Whether a file that any record names is in the root; the first one that is there ends the search. Only reads."""
    disk = Disk(root)
    for audited in references.in_database(audited_models(), using):
        columns = [at for at, one in enumerate(audited.fields, 1) if one.root == root]
        for chunk in references.read_all(audited, using) if columns else ():
            names = {row[at] for row in chunk for at in columns if row[at]}
            looks = disk.judge(names)
            if is_any_there(names, looks):
                return True
    return False
