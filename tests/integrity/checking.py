"""The command as a user runs it, on small libraries that are broken in one way each."""

import re
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

from tests.makers import make_known, make_photo
from tests.running import Ran, run

NAME = "check_media_integrity"
Facts = tuple[str, str, str]


def check(*arguments: str) -> Ran:
    return run(NAME, *arguments)


def lines(ran: Ran, event: str) -> list[dict[str, Any]]:
    return [line for line in ran.log if line["event"] == event]


def found(ran: Ran) -> list[Facts]:
    """(kind, path, detail) of every finding, in the order of the log."""
    findings = lines(ran, "finding.found")
    return [(line["kind"], line["path"], without_keys(line.get("detail", ""))) for line in findings]


def kinds(ran: Ran) -> dict[str, int]:
    """{kind: how many were found}."""
    return dict(ran.log[-1]["findings"])


def healed(ran: Ran) -> list[tuple[str, str]]:
    return [(line["kind"], line["path"]) for line in lines(ran, "finding.healed")]


def states(ran: Ran) -> dict[str, str]:
    """{path: new, open or first_look}."""
    return {line["path"]: line["state"] for line in lines(ran, "finding.found")}


def without_keys(text: str) -> str:
    """The text without the keys of records, which are others in each test on some databases."""
    return re.sub(r"(\b\w+\.[A-Z]\w+:)\d+", r"\1KEY", text)


def make_sound(media: Path, *names: str) -> None:
    """Photos with their files, in a folder that is registered."""
    for name in names or ("photos/kept.jpg",):
        make_photo(name, media=media)
    make_known(media)


def picture(width: int = 40, height: int = 30, form: str = "JPEG") -> bytes:
    """The bytes of an image."""
    stream = BytesIO()
    Image.radial_gradient("L").resize((width, height)).save(stream, form)
    return stream.getvalue()
