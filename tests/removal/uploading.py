"""A program that uploads under old names and new ones, and removes files again, as fast as it can.

Its arguments are a seed, which is also the folder of its files, and how many steps it takes. At the end it prints the
records that must be there, {key: name}: those whose file was written before they were saved, and not removed since.
"""

import json
import os
import random
import sys

import django
from django.conf import settings

NAMES = 40


class Uploader:
    """One user, who has `promised` records, and others that are without their file: {key: name}."""

    def __init__(self, seed: int) -> None:
        from deploy.gallery.models import Album, Photo  # noqa: PLC0415 - wants Django to be set up

        self.chance = random.Random(seed)
        self.names = [f"photos/{seed}/{number}.jpg" for number in range(NAMES)]
        self.photos = Photo.objects
        self.album = Album.objects.create(name=str(seed))
        self.promised: dict[int, str] = {}
        self.lost: dict[int, str] = {}
        os.makedirs(path_of(f"photos/{seed}"))

    def step(self, number: int) -> None:
        """Uploads a file that is not there, or removes one; now and then a new name takes the place of an old one."""
        at = self.chance.randrange(NAMES)
        if os.path.lexists(path_of(self.names[at])):
            self.remove(self.names[at])
        else:
            if self.chance.random() < 0.1:
                self.names[at] = f"{os.path.dirname(self.names[at])}/new-{number}.jpg"
            with open(path_of(self.names[at]), "wb") as file:
                file.write(b"content")
            self.save(self.names[at])

    def remove(self, name: str) -> None:
        """Makes sure that what was promised is there, until now."""
        ours = {key: held for key, held in self.promised.items() if held == name}
        assert self.photos.filter(pk__in=ours, image=name).count() == len(ours), f"{ours} is not there"
        os.unlink(path_of(name))
        self.lost |= ours
        self.promised = {key: held for key, held in self.promised.items() if held != name}

    def save(self, name: str) -> None:
        """Gives the file to a record that has lost its own, under this name or another one, or to a new record."""
        same = [key for key, held in self.lost.items() if held == name]
        for key in self.chance.choice([[], same[-1:], list(self.lost)[-1:]]):
            del self.lost[key]
            if self.photos.filter(pk=key).update(image=name):
                self.promised[key] = name
                return
        self.promised[self.photos.create(image=name, album=self.album).pk] = name


def path_of(name: str) -> str:
    return os.path.join(settings.MEDIA_ROOT, name)


def main() -> None:
    django.setup()
    seed, steps = map(int, sys.argv[1:])
    uploader = Uploader(seed)
    for number in range(steps):
        uploader.step(number)
    sys.stdout.write(json.dumps(uploader.promised))


if __name__ == "__main__":
    main()
