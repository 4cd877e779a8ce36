"""The audit's ledger once more, with a licence whose every name is a script, and the pages over it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from _scene import BOB, LICENSEE, LICENSOR, Scene

__all__ = ["BOB", "HOSTILE", "NAMED", "Served", "Stage", "serving"]

#: Each would tell of itself by a dialog, a request, an error or a changed page where it ran.
SCRIPT = "<script>alert('ran')</script>"
IMAGE = "<img src=x onerror=alert('ran')>"
BREAK = "</script></bdi></td>\"'><svg onload=alert('ran')>"
TEMPLATE = "{{7*7}}${7*7}"
HOSTILE = {
    "work": BREAK,
    "title": SCRIPT,
    "holder": IMAGE,
    "song": TEMPLATE,
    "law": "<b onclick=alert(1)>law",
}
#: Who earns by the hostile licence.
NAMED = "0x" + "44" * 20


class Stage(Scene):
    """A ledger with something of everything."""

    def _play(self) -> None:
        super()._play()
        self._hostile()
        self.rpc.call("anvil_mine", "0x1", "0x0")

    def _hostile(self) -> None:
        names = HOSTILE
        manifest = self.folder / "hostile.csv"
        quoted = [
            '"' + one.replace('"', '""') + '"' for one in (names["work"], names["song"], names["holder"])
        ]
        manifest.write_text(
            "work,title,holder,payee,share,right,isrc\n" + ",".join(quoted) + f",{NAMED},1000000,recording,\n"
        )
        catalogue = self.do("catalogue", "create", manifest, "--title", names["title"], account=LICENSOR)
        terms = json.loads(self._terms(catalogue).read_text())
        terms |= {
            "title": names["title"],
            "model": {"name": names["holder"], "version": TEMPLATE},
            "reach": {"start": "2024-06-01", "end": "2025-06-01"},
            "control": {"cure_days": 30, "governing_law": names["law"]},
        }
        path = self.folder / "hostile.json"
        path.write_text(json.dumps(terms))
        offer = self.folder / "hostile-offer.json"
        self.do("licence", "offer", path, "--out", offer, account=LICENSOR)
        self.named = self.do("licence", "accept", offer, account=LICENSEE)["licence"]

    def site(self, folder: Path, *options: object) -> Path:
        """The pages as files."""
        self.do("site", "build", folder, *options)
        return folder


@dataclass(frozen=True)
class Served:
    """`licence-ledger serve` at work, and what it printed."""

    url: str
    data: dict[str, Any]

    @property
    def origin(self) -> str:
        """Its origin."""
        return self.url.rstrip("/")

    def holder(self, payee: str) -> str:
        """A rights holder's page."""
        return f"{self.url}holders/{payee}.html"


@contextmanager
def serving(stage: Stage) -> Iterator[Served]:
    """`licence-ledger serve` in a process of its own."""
    command = [sys.executable, "-m", "ledger.cli", "serve", "--json", "--rpc", stage.node.url]
    command += ["--home", str(stage.folder / "home")]
    errors = (stage.folder / "serve.err").open("w+")
    with errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, errors.seek(0) or errors.read()
            told = json.loads(line)
            assert told["ok"], told["error"]
            data = told["data"]
            yield Served(data["url"], data)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)
