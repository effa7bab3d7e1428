"""The site of compose.yaml in a real Docker daemon."""

import re
from typing import Any, cast

import pytest

from tests.deploy.site import ComposedSite
from tests.docs.pages import COMMAND_PAGE, fences
from tests.watcher.waiting import wait_until

pytestmark = [pytest.mark.deploy, pytest.mark.sqlite]
PRINTED = [
    line
    for fence in fences(COMMAND_PAGE)
    for line in fence.text.splitlines()
    if fence.language == "bash" and line.startswith("docker-compose ")
]


def test_web_serves_pages_static_files_and_media(site: ComposedSite) -> None:
    status, page = site.get("/albums/")
    [style] = re.findall(r'href="(/static/gallery/gallery\.[0-9a-f]+\.css)"', page)
    picture = re.findall(r'src="(/media/[^"]+)"', page)[0]

    assert [status, site.get(style)[0], site.get(picture)[0]] == [200, 200, 200]


def test_services_have_no_more_rights_than_they_need(site: ComposedSite) -> None:
    for service in ("web", "watcher"):
        host = cast("dict[str, Any]", site.inspect(service)["HostConfig"])
        assert (host["ReadonlyRootfs"], host["CapDrop"], host["SecurityOpt"], host["RestartPolicy"]["Name"]) == (
            True,
            ["ALL"],
            ["no-new-privileges:true"],
            "unless-stopped",
        )
    host = cast("dict[str, Any]", site.inspect("watcher")["HostConfig"])
    assert (host["Memory"], host["PidsLimit"]) == (512 * 1024 * 1024, 64)


def test_watcher_cannot_write_to_the_media(site: ComposedSite) -> None:
    shown = site.inside("watcher", "touch", "/app/media/new", check=False)

    assert "Read-only file system" in shown


def test_file_deleted_on_the_host_is_told_from_the_audit_log(site: ComposedSite) -> None:
    name = site.remove_photo()
    wait_until(lambda: lost(site, name), seconds=20)

    shown = site.type_line("docker-compose exec web python manage.py cleanup_orphaned_media --dry-run")

    assert re.search(r"\nAudit log: complete up to \d+ s ago, 1 deletion since the last checkpoint\n", shown)
    assert "\nPhotos: 1 orphaned out of 12 total\n" in shown
    assert f"  - {name} (Album: " in shown


def test_detached_clean_up_is_in_the_log_of_web(site: ComposedSite) -> None:
    site.remove_photo()
    before = len(ends(site))

    site.type_line("docker-compose exec -d web python manage.py cleanup_orphaned_media --force")

    wait_until(lambda: len(ends(site)) > before, seconds=30)
    assert (ends(site)[-1]["exit_code"], ends(site)[-1]["deleted_total"]) == (0, 2)
    assert '"event": "run.completed"' in site.type_line("docker-compose logs -f web", seconds=3)


@pytest.mark.parametrize("line", dict.fromkeys(PRINTED))
def test_line_of_the_page_works_as_printed(site: ComposedSite, line: str) -> None:
    typed = "yes\n" if line.endswith(" cleanup_orphaned_media") else ""

    shown = site.type_line(line, typed=typed, seconds=4 if " logs -f " in line else 60)

    assert re.search("|".join(EXPECTED), shown), shown


EXPECTED = (
    "Database is clean",
    "cleaned successfully",
    "ORPHANED RECORDS FOUND",
    r"\.jpg\n",
    r'"event": "run\.completed"',
    r"^$",  # exec -d
)


def test_watcher_that_is_killed_comes_back(site: ComposedSite) -> None:
    before = site.inspect("watcher")["RestartCount"]

    site.inside("watcher", "sh", "-c", "kill -9 -1", check=False)

    wait_until(lambda: site.inspect("watcher")["RestartCount"] != before and site.is_covered(), seconds=60)


def test_clean_up_by_schedule_waits_a_week_before_it_deletes(site: ComposedSite) -> None:
    name = site.remove_photo()

    site.engine.compose("--profile", "cleanup", "up", "--detach", "cleanup")

    wait_until(lambda: "run.completed" in [line["event"] for line in site.log("cleanup")], seconds=30)
    told = [(line["path"], line["fate"]) for line in site.log("cleanup") if line["event"] == "orphan.found"]
    assert told == [(name, "waiting")]


@pytest.mark.parametrize("service", ["db", "web", "watcher"])
def test_service_is_healthy_and_docker_knows(site: ComposedSite, service: str) -> None:
    site.wait_for(service, "healthy")


def lost(site: ComposedSite, path: str) -> bool:
    return any(line["event"] == "record.orphaned" and line["path"] == path for line in site.log("watcher"))


def ends(site: ComposedSite) -> list[dict[str, object]]:
    return [line for line in site.log("web") if line["event"] == "run.completed"]
