import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.sqlite

CHECKOUT = Path(__file__).parents[2]

# In two halves, so that this file does not mention them.
PRIVATE = [
    front + back
    for front, back in [
        ("pypi", ".org"),
        ("pythonhosted", ".org"),
        ("registry.npmjs", ".org"),
        ("deb.debian", ".org"),
        ("/work", "/"),
    ]
]


def project_files() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    paths = (CHECKOUT / name for name in listing.stdout.split("\0") if name)
    return [path for path in paths if path.is_file()]


def test_no_file_names_a_package_registry_or_a_path_of_one_machine() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)} mentions {word}"
        for path in project_files()
        for word in PRIVATE
        if word.encode() in path.read_bytes()
    ]

    assert found == []
