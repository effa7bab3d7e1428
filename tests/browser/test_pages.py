"""The admin's pages in a real browser: in light and dark, on a phone and a desk, and by keyboard alone."""

import os
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from auditor.models import Run
from deploy.gallery.models import Photo
from tests.browser.chromium import Chromium
from tests.browser.world import BACK, World, span_and_stone
from tests.pages.visiting import ADMIN

pytestmark = [pytest.mark.browser, pytest.mark.live, pytest.mark.sqlite]
PICTURES = os.environ.get("BROWSER_PICTURES", "")  # a folder, to look at every page in every mode
LOOKS = [(width, scheme) for width in (390, 1280) for scheme in ("light", "dark")]


def pages_of(world: World) -> dict[str, str]:
    """{name: address} of every page."""
    span, stone = span_and_stone()
    return {
        "overview": f"{ADMIN}/overview/",
        "events": f"{ADMIN}/event/",
        "events-fault": f"{ADMIN}/event/?since=soon",
        "event": f"{ADMIN}/event/{2}/change/",
        "spans": f"{ADMIN}/span/",
        "span": f"{ADMIN}/span/{span}/change/",
        "runs": f"{ADMIN}/run/",
        "run": f"{ADMIN}/run/{world.run}/change/",
        "restore": f"{ADMIN}/run/{world.run}/restore/",
        "tombstones": f"{ADMIN}/tombstone/",
        "tombstone": f"{ADMIN}/tombstone/{stone}/change/",
    }


def test_every_page_is_for_everybody_in_every_look(browser: Chromium, live_server: LiveServer, world: World) -> None:
    found: dict[str, list[str]] = {}

    for name, address in pages_of(world).items():
        browser.open(f"{live_server.url}{address}")
        found[name] = browser.complaints()
        for width, scheme in LOOKS:
            browser.look(width=width, scheme=scheme)
            found[name] += [f"{width} {scheme} {fault}" for fault in browser.faults()]
            if PICTURES:
                browser.picture(Path(PICTURES) / f"{name}-{scheme}-{width}.png")

        browser.complaints()  # axe-core's own

    assert found == {name: [] for name in found}
    assert {address for address in browser.asked_for() if not address.startswith((live_server.url, "data:"))} == set()


def test_a_run_is_found_and_undone_by_keyboard_alone(browser: Chromium, live_server: LiveServer, world: World) -> None:
    browser.open(f"{live_server.url}/admin/")

    browser.enter("Overview")
    browser.wait_for("Media folders")
    browser.enter(str(world.run)[:8])
    browser.wait_for("Record by record")
    browser.enter("Restore what it deleted")
    browser.wait_for(f"To restore: {BACK} records")
    browser.enter(f"Restore {BACK} records")
    browser.wait_for("The records are back, but for those that stay away.")
    browser.wait_for("Undone by")

    assert Photo.objects.filter(image__startswith="photos/10000041").count() >= BACK
    assert Run.objects.latest("finished_at").user == "anna in the admin"
    assert browser.complaints() == []


def test_the_chart_is_drawn_in_the_colours_of_the_theme(
    browser: Chromium, live_server: LiveServer, world: World
) -> None:
    inked = (
        "const all = document.querySelector('#auditor-chart canvas'); const seen = new Set(); "
        "const dots = all.getContext('2d').getImageData(0, 0, all.width, all.height).data; "
        "for (let at = 0; at < dots.length; at += 4) "
        "if (dots[at + 3] === 255) seen.add(dots.slice(at, at + 3).join()); "
        "return [...seen]"
    )
    colours = {}

    for scheme in ("light", "dark"):
        browser.look(width=1280, scheme=scheme)
        browser.open(f"{live_server.url}{ADMIN}/overview/")
        colours[scheme] = set(browser.driver.execute_script(inked))

    assert "65,120,147" in colours["light"]
    assert "129,212,250" in colours["dark"]
