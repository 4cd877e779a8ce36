"""What a command says: data on stdout (text or JSON), talk and progress on stderr; nothing that steers a
terminal.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from ledger.cli.streams import is_utf8
from ledger.domain.errors import LedgerError
from ledger.domain.text import clean

_LARGEST_NUMBER = 2**53 - 1


def date(time: int) -> str:
    """A Unix time as UTC, to the second where it is not midnight."""
    try:
        shown = datetime.fromtimestamp(time, UTC)
    except (OverflowError, ValueError, OSError):
        return str(time)
    return shown.strftime("%Y-%m-%d" if time % 86_400 == 0 else "%Y-%m-%d %H:%M:%S") + " UTC"


def jsonable(value: Any) -> Any:
    """A value as JSON: bytes as 0x…, numbers beyond 2^53 as strings, dataclasses are the caller's to open."""
    if isinstance(value, bool | None):
        return value
    if isinstance(value, str):
        # Text of a chain that is no UTF-8 holds surrogates, which no JSON can.
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, int):
        return int(value) if abs(value) <= _LARGEST_NUMBER else str(value)
    if isinstance(value, bytes):
        return "0x" + value.hex()
    if isinstance(value, Mapping):
        return {str(name): jsonable(one) for name, one in value.items()}
    if isinstance(value, Iterable):
        return [jsonable(one) for one in value]
    return str(value)


def _write_json(envelope: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(envelope, ensure_ascii=not is_utf8(sys.stdout)) + "\n")


class Output:
    """Where one command prints."""

    def __init__(self, *, as_json: bool, command: str = "") -> None:
        self.as_json = as_json
        self.command = command

    # ---- data

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], *, title: str = "") -> None:
        """Prints a table on stdout; columns whose name starts with ">" are set to the right."""
        from rich.box import SIMPLE_HEAD
        from rich.table import Table
        from rich.text import Text

        table = Table(
            title=Text(clean(title)) if title else None, title_justify="left", box=SIMPLE_HEAD, pad_edge=False
        )
        for name in columns:
            right = name.startswith(">")
            table.add_column(
                Text(name.removeprefix(">")), justify="right" if right else "left", overflow="fold"
            )
        for row in rows:
            table.add_row(*(Text(clean(cell)) for cell in row))
        console = self._console()
        with console.capture() as held:
            console.print(table)
        sys.stdout.write("".join(line.rstrip() + "\n" for line in held.get().splitlines()))

    def fields(self, pairs: Iterable[tuple[str, object]], *, title: str = "") -> None:
        """Prints names and values, one pair a line, on stdout."""
        held = [(name, clean(value)) for name, value in pairs]
        width = max((len(name) for name, _ in held), default=0)
        if title:
            self.line(title)
        for name, value in held:
            self.line(f"{name:<{width}}  {value}")

    def line(self, text: object = "") -> None:
        """Prints one line of data on stdout."""
        sys.stdout.write(clean(text) + "\n")

    def result(
        self, data: Mapping[str, Any], show: Callable[[], None] | None = None, *, after: Sequence[str] = ()
    ) -> None:
        """Ends a command: as JSON the envelope with `data`, else what `show` prints; `after`: the next
        commands to try.
        """
        if self.as_json:
            envelope = {"ok": True, "command": self.command, "data": jsonable(data), "next": list(after)}
            _write_json(envelope)
            return
        if show is not None:
            show()
        for number, command in enumerate(after):
            self.say(("Next: " if number == 0 else "      ") + command)

    def failure(self, error: LedgerError) -> None:
        """Tells an error: on stderr, or on stdout as JSON."""
        if self.as_json:
            told = error.as_dict()
            told["kind"] = told.pop("error", type(error).__name__)
            envelope = {"ok": False, "command": self.command, "error": jsonable(told)}
            _write_json(envelope)
            return
        for number, line in enumerate(str(error).splitlines()):
            self.say(("Error: " if number == 0 else "") + line)

    def flush(self) -> None:
        """Hands on what was printed, for those who read along."""
        sys.stdout.flush()

    # ---- talk

    def say(self, text: object) -> None:
        """Tells the user something on stderr."""
        sys.stdout.flush()
        sys.stderr.write(clean(text) + "\n")

    @contextmanager
    def progress(self, title: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
        """A progress bar on stderr where that is a terminal; the yielded function adds what is done."""
        if self.as_json or not sys.stderr.isatty():
            yield lambda done: None
            return
        from rich.console import Console
        from rich.progress import Progress

        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task(clean(title), total=total)
            yield lambda done: bar.advance(task, done)

    def _console(self) -> Any:
        from rich.console import Console

        # A pipe gets lines that are not cut at the width of a terminal that is not there.
        width = None if sys.stdout.isatty() else 200
        return Console(file=sys.stdout, width=width, highlight=False, markup=False, emoji=False)
