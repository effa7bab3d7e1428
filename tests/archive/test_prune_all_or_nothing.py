"""A step of a prune is all or nothing: whatever happens, and whenever, the log is as before or as after."""

from contextlib import nullcontext
from pathlib import Path

import pytest
from django.db.utils import OperationalError

from auditor import locks
from auditor.archive import pruning
from auditor.auditlog import append_only
from auditor.auditlog.verifying import Fault, Place, verify
from auditor.models import Event
from tests.answers.happening import at
from tests.archive.pruning import make_log
from tests.clocks import DAY
from tests.removal.interrupting import Interruption, interrupted_at
from tests.removal.killing import Killer
from tests.removal.rows import dump

pytestmark = pytest.mark.django_db(transaction=True)
LATER = at(100 * 365 * DAY)


@pytest.mark.parametrize("error", [OperationalError("disk full"), Interruption()], ids=["error", "interrupt"])
def test_error_at_any_statement_leaves_the_log_as_it_was(
    media: Path, tmp_path: Path, error: BaseException, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_log(media)
    # A lock dies with its process, and this one goes on.
    monkeypatch.setattr(locks, "held", lambda *_, **__: nullcontext())
    before, statement = dump(), 0

    while interrupted_at(statement, error, lambda: list(pruning.prune(LATER, into=str(tmp_path), using="default"))):
        assert dump() == before, f"statement {statement}"
        assert append_only.missing(using="default") == []
        statement += 1

    assert statement > 20
    assert Event.objects.filter(type="log.pruned").count() == 1
    assert append_only.missing(using="default") == []


def test_killed_at_any_time_the_log_is_as_before_or_as_after(media: Path, tmp_path: Path) -> None:
    make_log(media)
    archive = media.with_name("archive")
    archive.mkdir()
    before = dump()["auditor_event"]
    with Killer("prune") as killer:
        for tenths in range(40):
            killer.run(kill_after=tenths / 400)
            if dump()["auditor_event"] != before:
                break
            assert append_only.missing(using="default") == []
        else:
            killer.run()

    assert not isinstance(verify(Place(), key=None, using="default"), Fault)
    assert Event.objects.filter(type="log.pruned").count() == 1
    assert append_only.missing(using="default") == []
