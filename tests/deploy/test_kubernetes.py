"""The manifests of deploy/kubernetes/: what kubectl builds of them fits the schemas of Kubernetes."""

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.deploy.engine import Engine
from tests.running import PROJECT

pytestmark = pytest.mark.sqlite
FOLDER = PROJECT / "deploy/kubernetes"
MANIFESTS = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name != "kustomization.yaml")
KINDS = ["CronJob", "Deployment", "PersistentVolumeClaim"]


def objects(text: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all(text))


def pod_of(manifest: dict[str, Any]) -> dict[str, Any]:
    """The pod's spec of a Deployment or a CronJob."""
    spec = manifest["spec"]
    pod: dict[str, Any] = spec.get("jobTemplate", {"spec": spec})["spec"]["template"]["spec"]
    return pod


def read(name: str) -> dict[str, Any]:
    [found] = objects((FOLDER / name).read_text(encoding="utf-8"))
    return found


def test_kustomization_has_every_manifest() -> None:
    assert sorted(read("kustomization.yaml")["resources"]) == MANIFESTS


@pytest.mark.parametrize("name", MANIFESTS)
def test_manifest_fits_the_schema_of_its_kind(name: str) -> None:
    kubernetes_validate.validate(read(name), kubernetes_validate.latest_version(), strict=True)


@pytest.mark.parametrize("name", ["watcher.yaml", "cleanup.yaml"])
def test_pod_keeps_to_the_restricted_standard(name: str) -> None:
    pod = pod_of(read(name))
    [container] = pod["containers"]

    assert (pod["securityContext"]["runAsNonRoot"], pod["securityContext"]["seccompProfile"]) == (
        True,
        {"type": "RuntimeDefault"},
    )
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_watcher_may_not_write_to_the_media_and_runs_once() -> None:
    watcher = read("watcher.yaml")

    mounts = {mount["name"]: mount for mount in pod_of(watcher)["containers"][0]["volumeMounts"]}
    assert mounts["media"]["readOnly"] is True
    assert (watcher["spec"]["replicas"], watcher["spec"]["strategy"]) == (1, {"type": "Recreate"})


@pytest.mark.deploy
def test_kubectl_builds_the_kustomization(engine: Engine, tmp_path: Path) -> None:
    mounted = f"--volume={FOLDER}:/manifests:ro"

    built = objects(engine.docker("run", "--rm", mounted, "debian-root", "kubectl", "kustomize", "/manifests"))

    for one in built:
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)
    assert sorted(one["kind"] for one in built) == KINDS
    assert {pod_of(one)["containers"][0]["image"] for one in built if one["kind"] != KINDS[2]} == {
        "media-auditor:latest"
    }
