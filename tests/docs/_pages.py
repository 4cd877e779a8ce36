"""Pages as tests read them: fenced blocks, commands, links; and a shell that runs a page in order.

```sh       commands to be run; what they print is not shown
```console  lines after "$ " are commands, what follows is an excerpt of what they print
```console exit=5  the same, and the last command ends with that exit code

In an excerpt "…" stands for any characters of a line, and alone on a line for any lines; clock times and
ports may differ, and so may spaces and empty lines. What is printed before and after the excerpt does not
matter.
Every page runs from an empty folder of its own.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
RUN = ("sh", "console")
_FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_UNSTABLE = (
    (re.compile(r"\d\d:\d\d:\d\d"), "00:00:00"),
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:0"),
    (re.compile(r"[─━]+"), "─"),
)


def pages() -> list[Path]:
    """The README, the other pages beside it, and every page below docs/."""
    return [*sorted(ROOT.glob("*.md")), *sorted(DOCS.rglob("*.md"))]


def name_of(page: Path) -> str:
    """A page's name in test ids."""
    return page.relative_to(ROOT).as_posix()


@dataclass
class Command:
    """One command of a page."""

    line: int
    text: str
    expected: list[str] = field(default_factory=list)
    exit_code: int = 0


@dataclass(frozen=True)
class Block:
    """One fenced block: language, the words after it, the text, the line in which the text begins."""

    language: str
    options: tuple[str, ...]
    text: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """Every fenced block of a page."""
    for found in _FENCE.finditer(text):
        language, *options = found[1].split() or [""]
        yield Block(language, tuple(options), found[2], text.count("\n", 0, found.start(2)) + 1)


def commands(text: str) -> list[Command]:
    """Every command of a page, in order."""
    found: list[Command] = []
    for block in blocks(text):
        code = next((int(one.removeprefix("exit=")) for one in block.options if one.startswith("exit=")), 0)
        if block.language == "sh":
            found.append(Command(block.line, block.text, exit_code=code))
        elif block.language == "console":
            held = list(_console(block))
            held[-1].exit_code = code
            found += held
    return found


def _console(block: Block) -> Iterator[Command]:
    command: Command | None = None
    continued = False
    for number, line in enumerate(block.text.splitlines(), block.line):
        if continued and command is not None:
            command.text += line + "\n"
        elif line.startswith("$ "):
            if command is not None:
                yield command
            command = Command(number, line.removeprefix("$ ") + "\n")
        else:
            assert command is not None, f"line {number}: output before the first command"
            command.expected.append(line)
            continue
        continued = line.endswith("\\")
    assert command is not None, f"line {block.line}: a console block without a command"
    yield command


def links(text: str) -> list[str]:
    """The targets of every link outside fenced blocks."""
    return _LINK.findall(_FENCE.sub("", text))


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as forges make them."""
    heads = re.findall(r"^#+ +(.+)$", _FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", one.lower().replace("`", "")).strip().replace(" ", "-") for one in heads}


# ---- excerpts


def _plain(line: str) -> str:
    for pattern, stand_in in _UNSTABLE:
        line = pattern.sub(stand_in, line)
    return " ".join(line.split())


def _matches(expected: str, line: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, re.split(r" ?… ?", expected))), line) is not None


def holds(expected: list[str], printed: str) -> bool:
    """Whether the excerpt stands in what was printed."""
    want = [plain for one in expected if (plain := _plain(one))]
    have = [plain for one in printed.splitlines() if (plain := _plain(one))]
    return any(_from(want, have[start:]) for start in range(len(have) + 1))


def _from(want: list[str], have: list[str]) -> bool:
    if not want:
        return True
    if want[0] == "…":
        return any(_from(want[1:], have[start:]) for start in range(len(have) + 1))
    return bool(have) and _matches(want[0], have[0]) and _from(want[1:], have[1:])


# ---- running


@dataclass(frozen=True)
class Ran:
    """What one command did."""

    command: Command
    exit_code: int | None
    printed: str


def run_page(found: list[Command], folder: Path, timeout: float = 900) -> list[Ran]:
    """Runs the commands one after another in one shell that starts in an empty folder; ends at the first
    whose exit code is not the one foretold. The chains that a page leaves running are stopped.
    """
    work, notes = folder / "work", folder / "notes"
    work.mkdir(parents=True)
    notes.mkdir()
    script = ["PS1='$ '"]
    for number, command in enumerate(found):
        (notes / f"{number}.sh").write_text(command.text)
        at = shlex.quote(str(notes / str(number)))
        script += [f". {at}.sh >{at}.out 2>&1", f"code=$?; echo $code >{at}.code"]
        script += [f"[ $code -eq {command.exit_code} ] || exit 1"]
    (notes / "page.sh").write_text("\n".join(script) + "\n")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("LICENCE_LEDGER_")
    }
    environment |= {
        "HOME": str(work),
        "XDG_DATA_HOME": str(work / "data"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{environment.get('PATH', '')}",
        "LICENCE_LEDGER_ANVIL": _anvil(),
        "COLUMNS": "200",
    }
    try:
        subprocess.run(
            ["bash", str(notes / "page.sh")],
            cwd=work,
            env=environment,
            stdin=subprocess.DEVNULL,
            timeout=timeout,
            check=False,
        )
    finally:
        _stop_chains(work)
    return [_ran(command, notes / str(number)) for number, command in enumerate(found)]


def _ran(command: Command, at: Path) -> Ran:
    code, out = at.with_suffix(".code"), at.with_suffix(".out")
    return Ran(
        command,
        int(code.read_text()) if code.exists() else None,
        out.read_text(errors="replace") if out.exists() else "",
    )


def _anvil() -> str:
    """The test chain's program: the page's folder lies outside the tree."""
    from ledger.chain.anvil import find_anvil

    return str(find_anvil())


def _stop_chains(work: Path) -> None:
    from ledger.chain.node import LocalNode, node_status

    for held in work.rglob("node.json"):
        if node_status(held.parent).state in ("running", "hanging"):
            LocalNode.attach(held.parent).kill()
