"""The command that makes a sample gallery."""

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from deploy.gallery.filling import FolderIsLinkError, refill


class Command(BaseCommand):
    help = (
        "Replaces the gallery's records, and all files in its folders of MEDIA_ROOT, "
        "by sample albums with real photos and videos."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--photos", type=int, default=414, metavar="N")
        parser.add_argument("--videos", type=int, default=157, metavar="N")
        parser.add_argument("--seed", type=int, default=1, metavar="N", help="Same number, same gallery.")

    def handle(self, *, photos: int, videos: int, seed: int, **_options: Any) -> None:
        try:
            refill(photos=photos, videos=videos, seed=seed)
        except FolderIsLinkError as error:
            raise CommandError(f"{error}; fill_gallery removes files from real folders only.") from error
        media = os.fspath(settings.MEDIA_ROOT)
        self.stdout.write(f"Filled the gallery with {photos} photos and {videos} videos in {media}.")
