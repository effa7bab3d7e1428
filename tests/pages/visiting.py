"""Visits the admin's pages as people with different permissions, and reads what they say."""

import html
import re
from pathlib import Path
from uuid import UUID

from django.contrib.auth.models import Permission, User
from django.http import HttpResponse
from django.test import Client

from auditor.models import Run
from deploy.gallery.models import Album, Rendition, Tag
from tests.makers import make_album, make_file, make_known, make_photo
from tests.running import run

ADMIN = "/admin/auditor"
VIEWING = ("view_event", "view_overview", "view_run", "view_span", "view_tombstone")
NOBODY = UUID("0c9e6679-7425-40de-944b-e07fc1f90ae7")
TAG = re.compile(r"<[^>]*>")


def visitor(*permissions: str, name: str = "anna", checks: bool = False) -> Client:
    """Somebody of the staff with these permissions, logged in."""
    user = User.objects.create_user(name, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="auditor", codename__in=permissions))
    client = Client(enforce_csrf_checks=checks)
    client.force_login(user)
    return client


def text_of(response: HttpResponse) -> str:
    """What a person reads on a page, its spaces made one."""
    body = response.content.decode()
    main = body[body.index("<main") : body.index("</main>")]
    return " ".join(html.unescape(TAG.sub(" ", main)).split())


def cells_of(response: HttpResponse) -> list[list[str]]:
    """The rows of the page's list."""
    rows = re.findall(r'<tr role="row">(.*?)</tr>', response.content.decode(), re.DOTALL)
    found = [re.findall(r'<td role="cell".*?>(.*?)</td>', row, re.DOTALL) for row in rows]
    return [[" ".join(html.unescape(TAG.sub("", cell)).split()) for cell in row] for row in found if row]


def cleaned(media: Path) -> Run:
    """Two photos with all that hangs on them, deleted by a clean-up; the file of the first is back."""
    make_file(media, "kept.jpg")
    make_known(media)
    tag = Tag.objects.create(name="sea")
    for number in (1, 2):
        photo = make_photo(f"photos/{number}.jpg", pk=number, album=make_album(f"Album {number}"))
        photo.tags.add(tag)
        Rendition.objects.create(pk=number, photo=photo, width=320, file="kept.jpg")
        Album.objects.filter(pk=photo.album_id).update(cover=photo)
    assert run("cleanup_orphaned_media", "--force", "--max-orphans", "5").code == 0
    make_file(media, "photos/1.jpg")
    return Run.objects.get()
