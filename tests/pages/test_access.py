"""Who may see the pages, and that nobody can change anything on them."""

from pathlib import Path

import pytest
from django.contrib import admin
from django.test import Client

from auditor.models import Event, Overview, Run, Span, Tombstone
from tests.answers.happening import SPAN, append, deleted, root_of, watched
from tests.pages.visiting import ADMIN, NOBODY, VIEWING, cleaned, text_of, visitor

pytestmark = pytest.mark.django_db
LISTS = ("event", "overview", "run", "span", "tombstone")


def pages(media: Path) -> list[str]:
    """The address of every page that shows something, which is made first."""
    run = cleaned(media)
    watched(root_of(media), 0, 60, reason="overflow")
    ones = {"event": 1, "run": run.uid, "span": SPAN, "tombstone": Tombstone.objects.earliest("id").pk}
    return [f"{ADMIN}/{name}/" for name in LISTS] + [f"{ADMIN}/{name}/{key}/change/" for name, key in ones.items()]


def test_every_page_is_registered() -> None:
    registered = {model for model in admin.site._registry if model._meta.app_label == "auditor"}

    assert registered == {Event, Overview, Run, Span, Tombstone}


def test_whoever_may_view_sees_every_page(media: Path) -> None:
    client, some = visitor(*VIEWING), pages(media)

    assert {page: client.get(page).status_code for page in some} == dict.fromkeys(some, 200)


def test_others_see_none(media: Path) -> None:
    client = visitor()

    assert {client.get(page).status_code for page in pages(media)} == {403}


def test_strangers_are_sent_to_the_login(media: Path) -> None:
    answers = [Client().get(page) for page in pages(media)]

    assert {answer.headers["Location"].partition("?")[0] for answer in answers} == {"/admin/login/"}


def test_each_page_has_its_own_permission(media: Path) -> None:
    client = visitor("view_span")
    pages(media)

    seen = {name: client.get(f"{ADMIN}/{name}/").status_code for name in LISTS}

    assert seen == {"event": 403, "overview": 403, "run": 403, "span": 200, "tombstone": 403}
    index = client.get("/admin/").content.decode()
    assert (f"{ADMIN}/span/" in index, f"{ADMIN}/event/" in index) == (True, False)


def test_nothing_can_be_added_changed_or_deleted(admin_client: Client, media: Path) -> None:
    seen = pages(media)
    ones = [page.removesuffix("change/") for page in seen if page.endswith("change/")]
    before = sorted(map(str, [*Event.objects.values_list(), *Tombstone.objects.values_list()]))

    posted = {admin_client.post(page, {"post": "yes", "action": "delete_selected"}).status_code for page in seen}
    ways = [f"{ADMIN}/{name}/add/" for name in LISTS] + [
        f"{one}{way}/" for one in ones for way in ("delete", "history")
    ]
    there = {way: admin_client.get(way).status_code for way in ways}

    assert posted == {403}
    assert there == dict.fromkeys(ways, 404)
    assert sorted(map(str, [*Event.objects.values_list(), *Tombstone.objects.values_list()])) == before


def test_a_run_that_is_not_there_is_not_found(admin_client: Client) -> None:
    answers = [admin_client.get(f"{ADMIN}/run/{key}/{way}/") for key in (NOBODY, "x") for way in ("change", "restore")]

    assert [answer.status_code for answer in answers] == [404] * 4


def test_overview_is_in_the_admin_index(admin_client: Client) -> None:
    index = admin_client.get("/admin/")

    assert f'href="{ADMIN}/overview/"' in index.content.decode()
    assert "Media auditor" in text_of(index)


@pytest.mark.parametrize("name", LISTS)
def test_pages_of_an_empty_log_open(admin_client: Client, media: Path, name: str) -> None:
    assert admin_client.get(f"{ADMIN}/{name}/").status_code == 200


def test_names_are_shown_and_never_obeyed(admin_client: Client, media: Path) -> None:
    root = root_of(media)
    hostile = ["<script>alert(1)</script>.jpg", "100%s.jpg", "two\nlines.jpg", "\u202egpj.exe", "caf\\xe9.jpg"]
    append(*(deleted(root, name) for name in hostile))

    answers = [admin_client.get(f"{ADMIN}/event/")]
    answers += [admin_client.get(f"{ADMIN}/event/{number}/change/") for number in range(1, 6)]

    shown = " ".join(answer.content.decode() for answer in answers)
    assert "<script>alert" not in shown
    assert "\u202e" not in shown
    for text in ("<script>alert(1)</script>.jpg", "100%s.jpg", "two\\nlines.jpg", "\\u202egpj.exe", "caf\\xe9.jpg"):
        assert sum(text in text_of(answer) for answer in answers) == 2
