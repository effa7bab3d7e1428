"""How many orphans are too many to be deleted without a word from a person."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

RUN = "run"  # the key of a limit that goes for all models together
FORM = re.compile(r"(\d+)|(\d+(?:\.\d+)?) ?%")


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many orphans, or at most so many per cent of the records."""

    count: int | None = None
    percent: float | None = None

    def allows(self, orphans: int, total: int) -> bool:
        """Whether so many orphans of so many records are within the limit."""
        if self.percent is not None:
            return orphans * 100 <= self.percent * total
        return self.count is None or orphans <= self.count

    def __str__(self) -> str:
        return f"{self.percent:g}%" if self.percent is not None else str(self.count)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits of a run as a whole, of single models, and, as `each`, of every model without its own."""

    each: Limit | None = None
    run: Limit | None = None
    models: tuple[tuple[str, Limit], ...] = ()

    def of_model(self, model: str) -> Limit | None:
        """The limit of one model, or None."""
        named = {name.lower(): limit for name, limit in self.models}  # as Django takes the names of models
        return named.get(model.lower(), self.each)

    def replaced(self, by: "Limits") -> "Limits":
        """These limits, but for those that others give."""
        return Limits(
            each=by.each or self.each,
            run=by.run or self.run,
            models=tuple({name.lower(): (name, limit) for name, limit in (*self.models, *by.models)}.values()),
        )


def limits_of(value: object) -> Limits:
    """The limits that a setting or a flag asks for; ValueError with a sentence where it cannot be understood.

    A number or a percentage goes for each model and for the run as a whole.
    A mapping has a limit for each 'app.Model', and one for the whole under 'run'.
    """
    if isinstance(value, Mapping):
        parsed = {str(model): limit_of(one) for model, one in value.items()}
        run = parsed.pop(RUN, None)
        return Limits(run=run, models=tuple(parsed.items()))
    if value in ("", None):
        return Limits()
    limit = limit_of(value)
    return Limits(each=limit, run=limit)


def limit_of(value: object) -> Limit:
    """The limit written as 100, '100' or '2.5%'; ValueError with a sentence where it is none of these."""
    found = None if isinstance(value, bool) else FORM.fullmatch(str(value).strip())
    if not found:
        raise ValueError(f"{value!r} is neither a number of records nor a percentage such as '5%'")
    return Limit(count=int(found[1])) if found[1] else Limit(percent=float(found[2]))
