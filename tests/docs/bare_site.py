"""A Django project that knows nothing of the auditor, and does what a how-to page tells it to do."""

import os
import subprocess
import sys
from pathlib import Path
from textwrap import dedent

from tests.docs.pages import Fence
from tests.docs.site import statements
from tests.running import PROJECT

WORLD = "your-site"

FILES = {
    "manage.py": """
        import os
        import sys

        from django.core.management import execute_from_command_line

        os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
        execute_from_command_line(sys.argv)
    """,
    "settings.py": """
        from pathlib import Path

        HERE = Path(__file__).parent
        SECRET_KEY = "bare"
        USE_TZ = True
        DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
        MEDIA_ROOT = HERE / "media"
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": HERE / "db.sqlite3"}}
        INSTALLED_APPS = ["papers"]
    """,
    "papers/__init__.py": "",
    "papers/models.py": """
        from django.db import models


        class Paper(models.Model):
            scan = models.FileField(upload_to="scans")
    """,
}
TWO_PAPERS = """
    import os

    import django
    from django.core.files.base import ContentFile
    from django.core.management import call_command

    os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)

    from papers.models import Paper

    Paper.objects.create(scan=ContentFile(b"here", name="here.pdf"))
    Paper.objects.create(scan="scans/gone.pdf")
"""


def make_bare_site(folder: Path) -> None:
    """Two records, one file."""
    for name, text in FILES.items():
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text))
    run(folder, [sys.executable, "-c", dedent(TWO_PAPERS)])


def add_settings(folder: Path, fence: Fence) -> None:
    with (folder / "settings.py").open("a") as settings:
        settings.write(fence.text)


def run_block(folder: Path, script: str) -> str:
    """What the lines of a block print, the last line of manage.py last."""
    lines = [line for is_manage, line in statements(script) if is_manage]
    return "".join(run(folder, [sys.executable, *line.split()[1:]]) for line in lines)


def run(folder: Path, command: list[str]) -> str:
    """What a command prints on stdout; it must succeed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
