"""Which models and fields are audited, and of which a person said that their records may be deleted."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models

from auditor import conf
from auditor.errors import AuditorError, ExitCode
from auditor.orphans.storages import StorageAdapter, home_of

_registrations: dict[str, "Registration"] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What a `media_audit.py` says of one model."""

    model: str
    primary: tuple[str, ...]
    derived: tuple[str, ...] = ()
    label: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedField:
    """A file field; a missing primary file makes its record an orphan, a missing derived one is only reported.

    `root` is the real path of the folder its storage keeps files in, or None for the reason `storage_fault`.
    With an `adapter`, it is the text by which that names its place, and no folder.
    """

    model: str
    name: str
    is_primary: bool
    root: str | None
    storage_fault: str = ""
    adapter: StorageAdapter | None = field(default=None, compare=False)

    @property
    def id(self) -> str:
        return f"{self.model}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditedModel:
    """A model with file fields; `group` is the field shown in brackets, `named` allows deletion.

    `kept_in` is the other database in which a router keeps its records; they are not judged here.
    """

    model: type[models.Model]
    label: str
    fields: tuple[AuditedField, ...]
    group: str | None
    named: bool
    kept_in: str = ""

    @property
    def id(self) -> str:
        return self.model._meta.label

    @property
    def label_of_one(self) -> str:
        """The label of a single record: 'Photo' where the label is the model's own plural, 'Photos'."""
        options = self.model._meta
        is_own = self.label.lower() == str(options.verbose_name_plural).lower()
        return capitalised(str(options.verbose_name)) if is_own else self.label

    @property
    def primary(self) -> tuple[AuditedField, ...]:
        return tuple(field for field in self.fields if field.is_primary and not self.kept_in)


def register(
    model: str, *, primary: Iterable[str], derived: Iterable[str] = (), label: str = "", group: str = ""
) -> None:
    """Allows the records of a model to be deleted when a primary file of theirs is missing.

    To be called in an app's `media_audit.py`.
    `model` is 'app.Model'; `label` and `group` replace the plural name and the first foreign key that is set.
    What is wrong with it is reported by `manage.py check`.
    """
    _registrations[model] = Registration(
        model=model, primary=tuple(primary), derived=tuple(derived), label=label, group=group
    )


def audited_models(only: Sequence[str] = ()) -> list[AuditedModel]:
    """All models with file fields, those named for deletion first, each in the order it was named.

    `only` ('app.Model', …) replaces the names given by settings and registrations for this one call.
    Raises AuditorError (usage) for a name in it that is no audited model.
    """
    named = [_named_model(name) for name in (only or _names())]
    unique = list(dict.fromkeys(model for model in named if not _is_covered(model, named)))
    others = [model for model in _discovered() if model not in unique]
    return [_audited(model, named=True) for model in unique] + sorted(
        (_audited(model, named=False) for model in others), key=lambda audited: audited.id
    )


def _names() -> list[str]:
    return list(dict.fromkeys([*conf.named_models(), *_registrations]))


def _named_model(name: str) -> type[models.Model]:
    fault = name_fault(name)
    if fault:
        raise AuditorError(fault, hint="Name a model as 'app.Model'.", exit_code=ExitCode.USAGE)
    return _concrete(name)


def _concrete(name: str) -> type[models.Model]:
    """The model whose table holds the records; Django takes 'app.model' and a proxy for it as well."""
    concrete: type[models.Model] | None = apps.get_model(name)._meta.concrete_model
    assert concrete is not None  # an installed model is never abstract
    return concrete


def _registration_of(model: type[models.Model]) -> Registration | None:
    fitting = [one for name, one in _registrations.items() if _is_model_name(name) and _concrete(name) is model]
    return fitting[-1] if fitting else None


def _is_covered(model: type[models.Model], named: Sequence[type[models.Model]]) -> bool:
    """Whether a parent that holds all its file fields is named as well."""
    owners = {field.model for field in _file_fields(model)}
    return model not in owners and owners <= set(named)


def _discovered() -> Iterator[type[models.Model]]:
    for model in apps.get_models():
        options = model._meta
        if options.managed and not options.proxy and any(f.model is model for f in _file_fields(model)):
            yield model


def _file_fields(model: type[models.Model]) -> list[models.FileField]:
    return [field for field in model._meta.concrete_fields if isinstance(field, models.FileField)]


def audit(model: type[models.Model]) -> AuditedModel:
    """The model with all its file fields, whether anybody named it or not."""
    return _audited(model, named=True)


def _audited(model: type[models.Model], *, named: bool) -> AuditedModel:
    registration = _registration_of(model)
    fields = [field for field in _file_fields(model) if named or field.model is model]
    return AuditedModel(
        model=model,
        label=(registration and registration.label) or capitalised(str(model._meta.verbose_name_plural)),
        fields=tuple(
            _audited_field(model, field, role)
            for field in fields
            if (role := _is_primary(field, registration)) is not None
        ),
        group=(registration and registration.group) or None,
        named=named,
    )


def _is_primary(field: models.FileField, registration: Registration | None) -> bool | None:
    """Primary, derived, or None for a field that a registration leaves out."""
    if registration is None:
        return not field.blank
    if field.name in registration.primary:
        return True
    return False if field.name in registration.derived else None


def _audited_field(model: type[models.Model], column: models.FileField, is_primary: bool) -> AuditedField:
    home = home_of(column.storage)
    return AuditedField(
        model=model._meta.label,
        name=column.name,
        is_primary=is_primary,
        root=home.root,
        storage_fault=home.fault,
        adapter=home.adapter,
    )


def capitalised(text: str) -> str:
    """The text with its first letter in upper case, the rest as it is."""
    return text[:1].upper() + text[1:]


def roots(audited: Iterable[AuditedModel]) -> list[str]:
    """The real paths of all local folders that the fields keep files in, each once, in order of appearance."""
    fields = (one for model in audited if not model.kept_in for one in model.fields)
    return list(dict.fromkeys(one.root for one in fields if one.root and one.adapter is None))


def name_fault(name: object) -> str | None:
    """What is wrong with a model name, in one sentence, or None."""
    if not isinstance(name, str) or name.count(".") != 1:
        return f"{name!r} is not a model name of the form 'app.Model'."
    if not _is_model_name(name):
        return f"No installed app has a model {name!r}."
    model = _concrete(name)
    fields = _file_fields(model)
    if not fields:
        return f"{name} has no file field, so none of its records can be an orphan."
    if _registration_of(model) is None and all(field.blank for field in fields):
        return f"{name} has only optional file fields: a registration must say which of them is primary."
    return None


def _is_model_name(name: object) -> bool:
    try:
        return isinstance(name, str) and bool(apps.get_model(name))
    except (LookupError, ValueError):  # no such model; no dot in the name
        return False


def registration_faults() -> Iterator[str]:
    """What is wrong with the registrations, a sentence each."""
    for registration in _registrations.values():
        fault = name_fault(registration.model)
        if fault:
            yield fault
            continue
        if not registration.primary:
            yield f"{registration.model} is registered without a primary field."
        yield from _field_faults(registration)


def _field_faults(registration: Registration) -> Iterator[str]:
    options = apps.get_model(registration.model)._meta
    for name in (*registration.primary, *registration.derived):
        if not isinstance(_column(options, name), models.FileField):
            yield f"{registration.model} is registered with {name!r}, which is not a file field of it."
    if registration.group and _column(options, registration.group) is None:
        yield f"{registration.model} is registered with the group {registration.group!r}, which is no field of it."


def _column(options: Any, name: str) -> Any:
    """The field of this name that has a value in the model's own rows, or None."""
    try:
        field = options.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if field in options.concrete_fields else None
