"""A text that mentions a file keeps it."""

import json
import os
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from django.conf import LazySettings
from django.contrib.admin.models import LogEntry
from django.contrib.auth import get_user_model
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from auditor.usage.bases import Bases
from auditor.usage.names import folded
from auditor.usage.plan import Kept
from deploy.gallery.models import Album
from tests.makers import make_file
from tests.usage.worlds import clean, in_trash, kept_in, make_used, unused_in

NAMES = ["a b.jpg", "photo (1).jpg", "it's.jpg", "a&b.jpg", "a,b;c=d [e] {f}.jpg", "-_(x).jpg", "README", "(1)"]


@pytest.mark.sqlite
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "spelled",
    [
        str,
        lambda name: f"see {name}, please",
        lambda name: f"look: texts/{name}!",
        lambda name: f"`{name}`",
        lambda name: f"*{name}*",
        lambda name: f"one\ntexts/{name}\ntwo",
        lambda name: f"C:\\media\\texts\\{name}",
        lambda name: f'<img src="/media/texts/{name}" alt="x">',
        lambda name: f'<img src="/media/texts/{escape(name)}">',
        lambda name: f"<img src='/media/texts/{escape(name)}'>",
        lambda name: f"![x](/media/texts/{quote(name)}?size=2#top)",
        lambda name: f'<img src="/media/texts/{quote(name)}">',
        lambda name: f"https://example.org/media/texts/{quote(name, safe='')}?x=1&y=2",
        lambda name: f"/download?file={quote_plus(name)}&x=1",
        lambda name: f"<img srcset='/x/b.png 1x, /media/{quote(name)} 2x'>",
        lambda name: f"background: url(/media/{quote(name)})",
        lambda name: json.dumps({"cover": f"texts/{name}", "n": 1}),
        lambda name: json.dumps({"files": f"first\n{name}\nlast"}),
        lambda name: json.dumps(json.dumps([f"texts/{name}"])),
        lambda name: escape(json.dumps({"cover": f"https://x/{name}"}).replace("/", "\\/")),
        str.upper,
    ],
)
def test_name_is_found_in_a_text(name: str, spelled: Callable[[str], str]) -> None:
    assert folded(name) in Bases(NAMES).mentioned_in(spelled(name))


@pytest.mark.sqlite
@pytest.mark.parametrize(
    "text",
    [
        '{"a": "texts/\\u00c4rger \\ud83d\\ude00.jpg"}',
        "<p>\\u00c4rger \\ud83d\\ude00.jpg</p>",
        "url(texts/Ärger 😀.jpg)",
        "x=%C3%84rger%20😀.jpg&y",
        "A\u0308rger 😀.jpg",
        "&Auml;rger &#x1F600;.jpg",
    ],
)
def test_name_is_found_however_its_letters_are_written(text: str) -> None:
    assert Bases(["Ärger 😀.jpg"]).mentioned_in(text) == {folded("Ärger 😀.jpg")}


@pytest.mark.sqlite
def test_name_that_is_no_text_is_found_in_a_url() -> None:
    name = os.fsdecode(b"\xc4rger.jpg")

    assert Bases([name]).mentioned_in("/media/%C4rger.jpg") == {folded(name)}


@pytest.mark.sqlite
@pytest.mark.parametrize("text", ['see "texts/ab.jpg"', "a-b.jpg", "a._b.jpg", "b.jpgx", "b jpg", "b/.jpg", "B.JPEG"])
def test_part_of_a_name_is_no_name(text: str) -> None:
    assert Bases(["b.jpg"]).mentioned_in(text) == set()


@pytest.mark.sqlite
@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="/\0"), min_size=1), min_size=1), st.data())
def test_name_in_quotes_is_always_found(names: list[str], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(names))

    assert folded(name) in Bases(names).mentioned_in(f'<img src="/media/{quote(name)}">')


@pytest.fixture
def library(media: Path) -> Path:
    make_used(media)
    make_file(media, "texts/a.jpg")
    make_file(media, "texts/b.jpg")
    return media


@pytest.fixture
def forgotten() -> Iterator[None]:
    """The table of an app that was uninstalled."""
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE forgotten_paper (id integer, scan varchar(100), n numeric, raw text)")
        cursor.execute("INSERT INTO forgotten_paper VALUES (1, 'texts/a.jpg', 1.5, NULL)")
    return


@pytest.mark.django_db
def test_file_in_the_text_of_a_record_stays(library: Path) -> None:
    Album.objects.create(name="see /media/texts/a.jpg.")

    assert (unused_in(library), kept_in(library)) == (["texts/b.jpg"], {Kept.MENTIONED: 1})


@pytest.mark.django_db
def test_file_in_the_table_of_a_forgotten_app_stays(library: Path, forgotten: None) -> None:
    assert (unused_in(library), kept_in(library)) == (["texts/b.jpg"], {Kept.MENTIONED: 1})


@pytest.mark.django_db
def test_what_the_admin_says_of_deleted_records_keeps_nothing(library: Path) -> None:
    user = get_user_model().objects.create(username="u")
    LogEntry.objects.create(user=user, object_repr="a.jpg", action_flag=3)
    clean("--force", "--keep", "texts/a.jpg")  # which the log mentions from now on

    assert unused_in(library) == ["texts/a.jpg"]


@pytest.mark.django_db
def test_texts_are_left_alone_if_that_is_wanted(library: Path, settings: LazySettings, forgotten: None) -> None:
    settings.AUDITOR_SEARCH_TEXTS = False

    assert unused_in(library) == ["texts/a.jpg", "texts/b.jpg"]


@pytest.mark.django_db
def test_file_that_a_text_mentions_meanwhile_comes_back(library: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def answer() -> str:
        Album.objects.create(name="texts/a.jpg")
        return "yes\n"

    monkeypatch.setattr("sys.stdin", type("Person", (), {"readline": lambda _: answer(), "isatty": lambda _: False})())

    ran = clean()

    assert (ran.code, list(in_trash(library))) == (4, ["texts/b.jpg"])
