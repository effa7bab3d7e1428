"""Records that somebody else holds on to: they stay, or nothing goes."""

from pathlib import Path

import pytest
from django.db import connection

from auditor.errors import AuditorError, ExitCode
from auditor.orphans import registry
from auditor.orphans.registry import Registration
from auditor.removal.remove import remove
from auditor.wishes import OnProtected
from tests.makers import make_file
from tests.removal.removing import RUN, deleted, kept, planned
from tests.removal.rows import dump
from tests.shapes.models import Exhibit, Guard, Lock, Locked, Unguarded


@pytest.fixture(autouse=True)
def registered(media: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_file(media, "kept.bin")
    exhibits = Registration(model="shapes.Exhibit", primary=("file",))
    monkeypatch.setitem(registry._registrations, "shapes.Exhibit", exhibits)


def make_exhibits(*codes: str) -> list[Exhibit]:
    return [Exhibit.objects.create(code=code, file=f"gone/{code}") for code in codes]


@pytest.mark.django_db
def test_key_that_would_dangle_keeps_its_record_and_the_others_go() -> None:
    exhibits = make_exhibits("a", "b", "c", "d")
    Unguarded.objects.create(exhibit=exhibits[2])

    outcome = planned("shapes.Exhibit").execute()

    reason = "refused by the database: shapes.Unguarded still points to it"
    assert kept(outcome) == [("shapes.Exhibit", "c", reason, False)]
    assert [key for _, key, _ in deleted(outcome)] == ["a", "b", "d"]
    assert list(Exhibit.objects.all()) == [exhibits[2]]
    connection.check_constraints()


@pytest.mark.django_db
def test_trigger_that_refuses_keeps_its_record_and_the_others_go() -> None:
    make_exhibits("a", "b", "c")
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
                "IF OLD.code = 'b' THEN RAISE EXCEPTION 'b is on loan'; END IF; RETURN OLD; END $$"
            )
            cursor.execute(
                "CREATE TRIGGER on_loan BEFORE DELETE ON shapes_exhibit FOR EACH ROW EXECUTE FUNCTION refuse()"
            )
        else:
            cursor.execute(
                "CREATE TRIGGER on_loan BEFORE DELETE ON shapes_exhibit WHEN OLD.code = 'b' "
                "BEGIN SELECT RAISE(ABORT, 'b is on loan'); END"
            )

    outcome = planned("shapes.Exhibit").execute()

    assert kept(outcome) == [("shapes.Exhibit", "b", "refused by the database: b is on loan", False)]
    assert [key for _, key, _ in deleted(outcome)] == ["a", "c"]


@pytest.mark.django_db
@pytest.mark.parametrize("field", ["protects", "restricts"])
def test_record_that_another_protects_stays(field: str) -> None:
    b = make_exhibits("a", "b", "c")[1]
    keeper = Exhibit.objects.create(code="kept", file="kept.bin")
    Guard.objects.create(owner=keeper, **{field: b})

    outcome = planned("shapes.Exhibit").execute()

    assert kept(outcome) == [("shapes.Exhibit", "b", "protected by shapes.Guard", False)]
    assert [key for _, key, _ in deleted(outcome)] == ["a", "c"]


@pytest.mark.django_db(transaction=True)
def test_abort_deletes_nothing_at_all() -> None:
    held = [Locked.objects.create(file=f"locked/{number}.bin") for number in (1, 2, 3)][1]
    Lock.objects.create(target=held)
    found, before = planned("shapes.Locked"), dump()

    with pytest.raises(AuditorError) as caught:
        remove(found.plan, found.audited, RUN, using="default", on_protected=OnProtected.ABORT)

    message = (
        f"shapes.Locked:{held.pk} (locked/2.bin) cannot be deleted: protected by shapes.Lock; so nothing was deleted."
    )
    assert (caught.value.message, caught.value.exit_code) == (message, ExitCode.FAILED)
    assert dump() == before
