"""The wheel in an empty environment, with a Django project that has never heard of the gallery."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest

pytestmark = pytest.mark.sqlite

CHECKOUT = Path(__file__).parents[2]

MANAGE = """
    import os
    import sys

    from django.core.management import execute_from_command_line

    os.environ["DJANGO_SETTINGS_MODULE"] = "site_settings"
    execute_from_command_line(sys.argv)
"""
SETTINGS = """
    from pathlib import Path

    HERE = Path(__file__).parent
    SECRET_KEY = "bare"
    USE_TZ = True
    DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
    MEDIA_ROOT = HERE / "media"
    DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "db.sqlite3"}}
    INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", "auditor", "watcher", "papers"]
"""
MODELS = """
    from django.db import models

    class Paper(models.Model):
        scan = models.FileField(upload_to="scans")
"""
TWO_PAPERS = """
    from django.core.files.base import ContentFile
    from papers.models import Paper

    Paper.objects.create(scan=ContentFile(b"here", name="here.pdf"))
    Paper.objects.create(scan="scans/gone.pdf")
"""

REPORT = """\
    Scanning for orphaned media records...
    Checking 2 papers...

    Full disk scan: no watcher has ever run for this folder (manage.py watch_media starts one)

    ======================================================================
    ORPHANED RECORDS FOUND:
    ======================================================================
    Papers: 1 orphaned out of 2 total
    ======================================================================

    Orphaned Papers (sample):
      - scans/gone.pdf

    No model is named for deletion. To allow it, add to your settings:
      AUDITOR_MODELS = ["papers.Paper"]
"""


@pytest.fixture(scope="session")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and what the wheel asks for, as locked."""
    folder = tmp_path_factory.mktemp("installed")
    constraints = folder / "constraints.txt"
    # Without the hashes: pip takes none from constraints.
    pins = re.findall(r"^[a-z].*?(?= \\$)", (CHECKOUT / "requirements.txt").read_text(), re.MULTILINE)
    constraints.write_text("\n".join(pins))
    environment = folder / "venv"
    python = environment / "bin" / "python"
    if shutil.which("uv"):
        run(folder, "uv", "venv", "--quiet", "--python", sys.executable, environment)
        install: list[str | Path] = ["uv", "pip", "install", "--quiet", "--python", python]
    else:
        run(folder, sys.executable, "-m", "venv", environment)
        install = [python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    run(folder, *install, "--constraint", constraints, wheel)
    return python


@pytest.fixture
def project(python: Path, tmp_path: Path) -> Path:
    """A migrated project of one app, whose media folder holds one of the two files that its records name."""
    write(tmp_path / "manage.py", MANAGE)
    write(tmp_path / "site_settings.py", SETTINGS)
    write(tmp_path / "papers" / "__init__.py", "")
    write(tmp_path / "papers" / "models.py", MODELS)
    run(tmp_path, python, "manage.py", "migrate", "--run-syncdb", "--verbosity", "0")
    run(tmp_path, python, "manage.py", "shell", "--verbosity", "0", "--command", dedent(TWO_PAPERS))
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(dedent(text))


def run(folder: Path, *command: str | Path) -> str:
    """What the command printed; it must succeed, and sees nothing of the checkout or of these tests."""
    own = ("COVERAGE", "DJANGO", "PYTEST", "PYTHON", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,  # the assertion shows what was printed
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_dry_run_in_a_bare_project(python: Path, project: Path) -> None:
    text = run(project, python, "manage.py", "cleanup_orphaned_media", "--dry-run")

    assert text == dedent(REPORT)


def test_no_migration_is_left_to_make(python: Path, project: Path) -> None:
    text = run(project, python, "manage.py", "makemigrations", "--check", "--dry-run")

    assert text == "No changes detected\n"


def test_programs_come_from_the_wheel(python: Path, project: Path) -> None:
    code = "import auditor, watcher; print(auditor.__file__, watcher.__file__, sep='\\n')"

    folders = {Path(line).parents[1] for line in run(project, python, "-c", code).splitlines()}

    [site_packages] = python.parents[1].glob("lib/python*/site-packages")
    assert folders == {site_packages}
