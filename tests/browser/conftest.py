"""The browser, and a site with something to show in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.contrib.auth.models import User
from django.test import Client
from pytest_django.live_server_helper import LiveServer

from tests.browser.chromium import BROWSER, DRIVER, Chromium, chromium
from tests.browser.world import World, make_world


@pytest.fixture(scope="session")
def window(django_db_setup: None) -> Iterator[Chromium]:
    """Asked for before the live server, which else takes the database for one in memory, and shares its connection."""
    if not (BROWSER and DRIVER):
        pytest.skip("needs Debian's chromium and chromium-driver")
    with chromium() as opened:
        yield opened


@pytest.fixture
def browser(window: Chromium, live_server: LiveServer, transactional_db: None) -> Chromium:
    """The browser, with a superuser logged in."""
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    window.look(width=1280, scheme="light")
    window.log_in(live_server.url, client.cookies["sessionid"].value)
    window.complaints(), window.asked_for()  # of another test
    return window


@pytest.fixture
def world(media: Path, settings: LazySettings, transactional_db: None) -> Iterator[World]:
    with make_world(media, settings) as made:
        yield made
