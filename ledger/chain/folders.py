"""Where the ledger keeps its own files."""

from __future__ import annotations

import os
from pathlib import Path

HOME_VARIABLE = "LICENCE_LEDGER_HOME"


def home_folder() -> Path:
    """The ledger's folder: $LICENCE_LEDGER_HOME, else the user's data folder. It need not exist yet."""
    if named := os.environ.get(HOME_VARIABLE):
        return Path(named).expanduser()
    from platformdirs import user_data_path

    return user_data_path("licence-ledger", appauthor=False)


def private_folder(path: Path) -> Path:
    """Makes the folder where it is missing, closed to other users."""
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    return path


def write_whole(path: Path, content: bytes, mode: int = 0o644, *, flush: bool = True) -> None:
    """Writes beside the file and moves it into place: after a crash there is the old file or the new one.

    Without `flush` the caller has the system write all its files through, once.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
