"""Scrapes the metrics as Prometheus would."""

import urllib.request
from collections.abc import Iterable

from prometheus_client.parser import text_string_to_metric_families as parsed
from prometheus_client.samples import Sample

from watcher.metrics import PREFIX, Metrics


def scraped(served: Metrics, accept: str = "text/plain") -> str:
    request = urllib.request.Request(f"http://{served.address}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=10) as answer:
        text: str = answer.read().decode()
    return text


def samples(served: Metrics, name: str) -> dict[tuple[str, ...], float]:
    """What is told under a name: {values of the labels, the root first: number}."""
    found = [one for one in all_samples(scraped(served)) if one.name == PREFIX + name]
    return {tuple(one.labels[label] for label in root_first(one.labels)): one.value for one in found}


def root_first(labels: Iterable[str]) -> list[str]:
    return sorted(labels, key=lambda label: (label != "root", label))


def all_samples(text: str) -> list[Sample]:
    return [sample for family in parsed(text) for sample in family.samples]
