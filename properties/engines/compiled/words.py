"""Between Python's integers and rows of 64-bit words, and sequences of states decoded when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from kythera.properties.engines.compiled.kernel import Words


def to_words(states: Iterable[int], k: int) -> Words:
    """Integers as rows of ``k`` words, the lowest first."""
    found = np.frombuffer(b"".join([state.to_bytes(8 * k, "little") for state in states]), dtype=np.uint64)
    return found.reshape(-1, k).copy()


def to_ints(rows: Words) -> list[int]:
    """Rows of words as integers."""
    data, size = rows.tobytes(), 8 * rows.shape[1]
    make = int.from_bytes
    return [make(data[i : i + size], "little") for i in range(0, len(data), size)]


class States(Sequence[int]):
    """Some of the states of a store, as integers; ``store`` gives the rows as they are at the moment."""

    def __init__(self, store: Callable[[], Words], first: int, end: int) -> None:
        self.store = store
        self.first = first
        self.end = end

    def __len__(self) -> int:
        return self.end - self.first

    @overload
    def __getitem__(self, at: int) -> int: ...
    @overload
    def __getitem__(self, at: slice) -> list[int]: ...
    def __getitem__(self, at: int | slice) -> Any:
        rows = self.store()[self.first : self.end]
        if isinstance(at, slice):
            return to_ints(rows[at])
        return int.from_bytes(rows[at].tobytes(), "little")

    def __iter__(self) -> Iterator[int]:
        for at in range(0, len(self), 8192):
            yield from self[at : at + 8192]
