"""Files that no reader sees half written, and digests of what a result depends on."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from compiling.pins import Json


def digest(value: object) -> str:
    """SHA-256 of a value's canonical JSON."""
    return hashlib.sha256(json.dumps(value, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def text_of(value: Json) -> str:
    """The canonical JSON, as artefacts are kept."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")) + "\n"


def replace(target: Path, write: Any) -> None:
    """Builds beside the target and moves it into place, so that no reader sees half a file."""
    partial = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    partial.unlink(missing_ok=True)
    write(partial)
    partial.replace(target)


def write(path: Path, text: str) -> bool:
    """Whether the file had to change; an unchanged one keeps its time, for make."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    replace(path, lambda partial: partial.write_text(text, encoding="utf-8"))
    return True
