"""What a site says of names that are in no file field: in texts, in JSON, in other systems."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

Hook = Callable[[], Iterable[str]]

_hooks: list[Hook] = []


def register_names(names: Hook) -> Hook:
    """Lets a function name files that are in use, besides those in file fields; it may stand above it as a decorator.

    To be called in an app's `media_audit.py`.
    Each name is relative to a media folder, or an absolute path, or a URL that begins with MEDIA_URL; it counts in
    every media folder. The function is called anew for every look; what it raises ends the run.
    """
    if names not in _hooks:
        _hooks.append(names)
    return names


def hooks() -> tuple[Hook, ...]:
    """All functions that were registered, in their order."""
    return tuple(_hooks)


def name_of(hook: Any) -> str:
    """What a person knows a function by."""
    return f"{getattr(hook, '__module__', '?')}.{getattr(hook, '__qualname__', type(hook).__name__)}"


def hook_faults() -> Iterator[str]:
    """What is wrong with the functions that were registered, a sentence each."""
    for hook in _hooks:
        if not callable(hook):
            yield f"register_names() takes a function that yields names, not {hook!r}."
