"""Something that is interrupted from within, at any of its statements; `killing` does it from outside."""

from collections.abc import Callable
from typing import Any

from django.db import connection


class Interruption(BaseException):
    """What nobody catches."""


def interrupted_at(last: int, error: BaseException, act: Callable[[], object]) -> bool:
    """Acts, raising at the statement with this number, from 0; whether it came so far."""
    numbers = iter(range(last + 1))

    def fail(execute: Any, sql: str, *rest: Any) -> Any:
        if next(numbers, None) == last:
            raise error
        return execute(sql, *rest)

    with connection.execute_wrapper(fail):
        try:
            act()
        except type(error):
            return True
    return False
