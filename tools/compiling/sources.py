"""A source with all that it imports and no other, as the compiler's input."""

from __future__ import annotations

import functools
import posixpath
import re
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from compiling.files import digest
from compiling.pins import (
    CACHE,
    OUTPUTS,
    OVERRIDES,
    REMAPPINGS,
    ROOT,
    SETTINGS,
    SOLC_LONG_VERSION,
    UNOPTIMISED_OPTIMIZER,
    BuildError,
    Json,
)


@dataclass(frozen=True, eq=False)
class Job:
    """One call of the compiler: a source with all that it imports."""

    source: str
    variant: str
    input: Json

    @functools.cached_property
    def key(self) -> str:
        """What the result depends on."""
        return digest([SOLC_LONG_VERSION, self.input])

    @property
    def cache(self) -> Path:
        """Where the last result lies."""
        return CACHE / "compile" / f"{self.variant}-{self.source.replace('/', '-')}.json"


_COMMENT: Final = re.compile(r"//[^\n]*|/\*.*?\*/|(\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')", re.DOTALL)
_IMPORT: Final = re.compile(r"""\bimport\b[^;"']*["']([^"'\n]+)["']""")


@functools.cache
def _source(name: str) -> tuple[str, tuple[str, ...]]:
    """The text of a source and the names of those it imports."""
    try:
        text = (ROOT / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        hint = ": run `make setup`" if name.startswith("node_modules/") else ""
        raise BuildError(f"{name} is imported but does not exist{hint}") from None
    code = _COMMENT.sub(lambda match: match[1] or " ", text)
    imports = []
    for given in _IMPORT.findall(code):
        path = given
        if given.startswith("."):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(name), given))
        for prefix, target in REMAPPINGS.items():
            if path.startswith(prefix):
                path = target + path.removeprefix(prefix)
        imports.append(path)
    return text, tuple(imports)


def closure(names: Iterable[str]) -> Json:
    """The sources and all that they import, by name. Raises BuildError for one that is missing."""
    found: dict[str, Json] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in found:
            text, imports = _source(name)
            found[name] = {"content": text}
            waiting.extend(imports)
    return dict(sorted(found.items()))


def settings_of(contract: str, variant: str) -> Json:
    """The compiler's settings for one contract."""
    settings = deepcopy(SETTINGS)
    for key, value in OVERRIDES.get(contract, {}).items():
        settings[key] = {**settings[key], **value} if isinstance(value, dict) else value
    if variant == "unoptimised":
        settings["optimizer"] = deepcopy(UNOPTIMISED_OPTIMIZER)
    return settings


def job_of(source: str, variant: str) -> Job:
    """The compilation of one source."""
    settings = settings_of(Path(source).stem, variant)
    settings["outputSelection"] = {source: {"*": OUTPUTS}, "*": {"": ["ast"]}}
    return Job(source, variant, {"language": "Solidity", "sources": closure([source]), "settings": settings})


def sources_in(folder: Path, pattern: str) -> list[str]:
    """Names of the sources in a folder."""
    return sorted(path.relative_to(ROOT).as_posix() for path in folder.glob(pattern))
