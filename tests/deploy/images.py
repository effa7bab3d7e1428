"""The images that stand in for those of a registry."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.deploy.engine import ROOT, STAND_IN, Engine
from tests.running import PROJECT

DEBIANS = "/usr/bin/python3"


def make_stand_ins(engine: Engine) -> None:
    """Makes them from one Debian: Python's base image with the locked packages beside it, and PostgreSQL's."""
    engine.docker("import", str(ROOT), "debian-root")
    context = engine.folder / "context"
    shutil.copytree(STAND_IN, context)
    download(context / "wheels")
    build(engine, "python", context, tag="python:3.13-slim-trixie")
    build(engine, "postgres", context, tag="postgres:17-trixie")


def build(engine: Engine, name: str, context: Path, *, tag: str) -> None:
    """Builds one of the stand-ins from what is in the context."""
    engine.docker("build", "--file", str(STAND_IN / f"{name}.Dockerfile"), "--tag", tag, str(context))


def download(folder: Path) -> None:
    """Downloads the packages of the lock, whose hashes pip checks here and once more in the build."""
    pip = [sys.executable, "-m", "pip"]
    if subprocess.run([*pip, "--version"], capture_output=True, check=False).returncode:
        subprocess.run([sys.executable, "-m", "ensurepip"], capture_output=True, check=True)
    # By Debian's own Python: that is the one in the image, and the lock differs between Pythons.
    options = ["--quiet", "--require-hashes", "--only-binary=:all:", "--dest", str(folder)]
    lock = str(PROJECT / "requirements.txt")
    subprocess.run([*pip, "--python", DEBIANS, "download", *options, "--requirement", lock], check=True)
