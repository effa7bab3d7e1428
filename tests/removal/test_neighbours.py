"""Another app that deletes files, and ours, which deletes none."""

import json
from pathlib import Path

import pytest

from deploy.gallery.models import Photo, Rendition
from tests.makers import make_file, make_photo
from tests.running import manage

pytestmark = [pytest.mark.live, pytest.mark.django_db(transaction=True)]

CODE = """
import json
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from deploy.gallery.models import Photo

def files():
    media = Path(settings.MEDIA_ROOT)
    return sorted(str(path.relative_to(media)) for path in media.rglob("*") if path.is_file())

call_command("cleanup_orphaned_media", "--force", "--json", "--log-format", "none")
after_ours = files()
Photo.objects.get(image="photos/theirs.jpg").delete()
print(json.dumps([after_ours, files()]))
"""


def test_django_cleanup_is_kept_out_of_our_deletions_and_only_of_ours(media: Path) -> None:
    for name in ("thumbnails/gone.jpg", "renditions/gone.jpg", "thumbnails/shared.jpg", "thumbnails/theirs.jpg"):
        make_file(media, name)
    gone = make_photo("photos/gone.jpg", thumbnail="thumbnails/gone.jpg")
    Rendition.objects.create(photo=gone, width=320, file="renditions/gone.jpg")
    make_photo("photos/also-gone.jpg", thumbnail="thumbnails/shared.jpg")
    make_photo("photos/here.jpg", media=media, thumbnail="thumbnails/shared.jpg")
    make_photo("photos/theirs.jpg", media=media, thumbnail="thumbnails/theirs.jpg")

    ran = manage("shell", "--verbosity", "0", "-c", CODE, DJANGO_SETTINGS_MODULE="tests.removal.cleaning_settings")

    assert (ran.code, ran.stderr) == (0, "")
    ours = [
        ".media-root",
        "photos/here.jpg",
        "photos/theirs.jpg",
        "renditions/gone.jpg",
        "thumbnails/gone.jpg",
        "thumbnails/shared.jpg",
        "thumbnails/theirs.jpg",
    ]
    theirs = [name for name in ours if not name.endswith("theirs.jpg")]
    assert json.loads(ran.stdout.splitlines()[-1]) == [ours, theirs]
    assert [photo.image.name for photo in Photo.objects.all()] == ["photos/here.jpg"]
