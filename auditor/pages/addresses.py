"""Where the pages are in this site's admin, and what they are called."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse


def of_list(name: str, **asked: Any) -> str:
    """The page that lists all of a kind, such as 'event', or those that are asked for."""
    url = reverse(f"admin:auditor_{name}_changelist")
    return f"{url}?{urlencode(asked)}" if asked else url


def of_one(name: str, key: Any) -> str:
    """The page of one of a kind."""
    return reverse(f"admin:auditor_{name}_change", args=[key])


def of_restore(run: Any) -> str:
    """The page that brings back what a run deleted."""
    return reverse("admin:auditor_run_restore", args=[run])


def titled(options: Any) -> str:
    """What the list of all rows of a model is called."""
    name = str(options.verbose_name_plural)
    return name[:1].upper() + name[1:]


def named(row: Any) -> str:
    """What the page of one row is called: never by its text, in which a name may hold what turns a line."""
    name, key = str(row._meta.verbose_name), str(row.pk)
    return f"{name[:1].upper()}{name[1:]} {key[:8] if '-' in key else key}"
