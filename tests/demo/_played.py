"""A run of the demonstration, for the tests that look at what it leaves behind."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.cli import main


@dataclass(frozen=True)
class Played:
    """A run: its folder, the envelope that it printed, and what it told on the way."""

    home: Path
    envelope: dict[str, Any]
    talk: str

    @property
    def data(self) -> dict[str, Any]:
        """What the command printed."""
        return self.envelope["data"]


def play(home: Path) -> Played:
    """Runs `licence-ledger demo --json`."""
    out, told = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(told):
        code = main(["demo", "--json", "--home", str(home)])
    assert code == 0, out.getvalue() + told.getvalue()
    return Played(home, json.loads(out.getvalue()), told.getvalue())


def play_for_people(home: Path) -> str:
    """Runs `licence-ledger demo` and returns all that a person sees."""
    screen = io.StringIO()
    with redirect_stdout(screen), redirect_stderr(screen):
        code = main(["demo", "--home", str(home)])
    assert code == 0, screen.getvalue()
    return screen.getvalue()
