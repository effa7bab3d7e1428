"""What a run of the benchmarks covers."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.benchmarks.databases import KINDS, Kind
from tests.benchmarks.libraries import Layout


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """How many records the libraries have, and on which databases."""

    sizes: tuple[int, ...] = (10_000, 100_000, 1_000_000)
    kinds: tuple[Kind, ...] = KINDS

    def libraries(self) -> Iterator[tuple[Kind, Layout, int]]:
        """Each library, in every layout."""
        return ((kind, layout, size) for kind in self.kinds for layout in Layout for size in self.sizes)
