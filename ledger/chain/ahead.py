"""Work that goes on while we do something else: a node that answers the next request while we check the last answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")
Task = TypeVar("Task")


class Ahead(Generic[T]):
    """One piece of work in a thread of its own. A program that ends does not wait for it."""

    def __init__(self, work: Callable[[], T]) -> None:
        """Starts it."""
        self._work = work
        self._done: list[T] = []
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._done.append(self._work())
        except BaseException as error:
            self._error = error

    def result(self) -> T:
        """Waits for what came of it, and gives it away; raises what it raised."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._done.pop()


def one_ahead(work: Callable[[Task], T], tasks: Iterable[Task]) -> Iterator[tuple[Task, T]]:
    """Each task with what came of it, in order; the next one is worked on meanwhile, never two at a time."""
    task: Task
    begun: Ahead[T] | None = None
    fault: Exception | None = None
    coming = iter(tasks)
    while True:
        try:
            following = next(coming)
        except StopIteration:
            break
        except Exception as error:  # what was begun comes first
            fault = error
            break
        if begun is None:
            task, begun = following, Ahead(partial(work, following))
            continue
        made = begun.result()
        done, task, begun = task, following, Ahead(partial(work, following))
        yield done, made
    if begun is not None:
        yield task, begun.result()
    if fault is not None:
        raise fault
