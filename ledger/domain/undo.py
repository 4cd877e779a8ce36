"""All or nothing for the models: what a call changed is put back when it raises, as a revert does."""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, TypeVar

K = TypeVar("K")
V = TypeVar("V")

_ABSENT: Any = object()


class Undo:
    """Notes the old values of the call that is under way."""

    def __init__(self) -> None:
        self._old: list[tuple[MutableMapping[Any, Any], Any, Any]] = []
        self._depth = 0

    def put(self, store: MutableMapping[K, V], key: K, value: V) -> None:
        """Writes a value, to be put back if the call raises."""
        if self._depth:
            self._old.append((store, key, store.get(key, _ABSENT)))
        store[key] = value

    @contextmanager
    def call(self) -> Iterator[None]:
        """One call; calls within it belong to it."""
        mark = len(self._old)
        self._depth += 1
        try:
            yield
        except BaseException:
            while len(self._old) > mark:
                store, key, value = self._old.pop()
                if value is _ABSENT:
                    del store[key]
                else:
                    store[key] = value
            raise
        finally:
            self._depth -= 1
            if self._depth == 0:
                self._old.clear()
