"""Keeps other hands off the files while records are deleted."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from django.apps import apps
from django.db.models import ImageField
from django.db.models.signals import post_delete, post_init


@contextmanager
def files_left_alone() -> Iterator[None]:
    """Within it, django-cleanup does not delete the files of deleted records.

    A record's thumbnail, or a file that another record names as well, may be on disk: this program deletes no file.
    """
    if not apps.is_installed("django_cleanup"):
        yield
        return
    cache, handlers = import_module("django_cleanup.cache"), import_module("django_cleanup.handlers")
    cleaned = {model: f"post_delete_django_cleanup_{cache.get_model_name(model)}" for model in cache.cleanup_models()}
    for model, uid in cleaned.items():
        post_delete.disconnect(sender=model, dispatch_uid=uid)
    try:
        yield
    finally:
        for model, uid in cleaned.items():
            post_delete.connect(handlers.delete_all_post_delete, sender=model, dispatch_uid=uid)


@contextmanager
def images_left_unopened() -> Iterator[None]:
    """Within it, an ImageField whose dimensions are not stored does not open its file when a record is loaded.

    The collector loads what a cascade takes: a file that is gone would end the run with FileNotFoundError.
    """
    fields = [
        field
        for model in apps.get_models()
        for field in model._meta.local_fields
        if isinstance(field, ImageField) and post_init.disconnect(field.update_dimension_fields, sender=model)
    ]
    try:
        yield
    finally:
        for field in fields:
            post_init.connect(field.update_dimension_fields, sender=field.model)
