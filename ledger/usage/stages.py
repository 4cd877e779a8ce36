"""The finished stages of a build that is under way: what a killed one has done, the next one takes.

They lie in a hidden folder beside the target, with the hash of all that decides over the result. A stage is written
under another name and moved to its own when it is whole and on disk; one whose bytes are no longer those that were
written is made again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from ledger.domain.errors import IncompleteError, LedgerError

INPUT, UNFINISHED, HASHES = "input", "unfinished", "hashes"


class Stages:
    """The stages of one build in its hidden folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        #: Stages that were taken, not made.
        self.taken: list[str] = []

    def file(self, name: str, write: Callable[[Path], None]) -> bytes:
        """keccak256 of the file of a stage; `write` makes it, where it is not there already."""
        path, note = self.folder / name, self.folder / HASHES / name
        try:
            digest = file_hash(path)
            if note.read_bytes() == digest:
                self.taken.append(name)
                return digest
        except OSError:
            pass
        new = self.folder / UNFINISHED / name
        for one in (new, note):
            one.parent.mkdir(exist_ok=True)
        write(new)
        flush(new)
        digest = file_hash(new)
        note.write_bytes(digest)
        flush(note)
        new.replace(path)
        flush(self.folder)
        return digest

    def table(self, name: str, make: Callable[[], pa.Table | None]) -> pa.Table | None:
        """A table that `make` works out, where it is not there already."""
        made: list[pa.Table | None] = []

        def write(path: Path) -> None:
            made.append(make())
            table = pa.table({}) if made[0] is None else made[0]
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
                writer.write_table(table)

        self.file(name, write)
        if made:
            return made[0]
        with pa.OSFile(str(self.folder / name), "rb") as file:
            held: Any = pa.ipc.open_file(file).read_all()
        return held if held.num_columns else None

    def only(self, *names: str) -> None:
        """Removes all but these files."""
        for path in self.folder.iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in names:
                path.unlink()


@contextmanager
def under_way(folder: Path, key: bytes) -> Iterator[Stages]:
    """The stages of a build into `folder`, of the input whose hash is `key`: those of another are removed.

    Nothing is left of a build that is through or refused; of one that was stopped, its finished stages.
    Raises IncompleteError while another process builds the same folder.
    """
    with alone(folder):
        partial = folder.with_name(f".{folder.name}.partial")
        try:
            same = (partial / INPUT).read_bytes() == key
        except OSError:
            same = False
        if not same:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            (partial / INPUT).write_bytes(key)
        try:
            yield Stages(partial)
        except LedgerError:
            shutil.rmtree(partial, ignore_errors=True)
            raise
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Two builds of one folder do not mix. A killed one leaves no lock."""
    from filelock import FileLock, Timeout

    folder.parent.mkdir(parents=True, exist_ok=True)
    lock = folder.with_name(f".{folder.name}.lock")
    try:
        with FileLock(lock, timeout=0):
            try:
                yield
            finally:
                lock.unlink(missing_ok=True)
    except Timeout:
        raise IncompleteError("The distribution is being built by another process.", str(folder)) from None


def file_hash(path: Path) -> bytes:
    """keccak256 of a file, read in pieces."""
    import sha3

    digest = sha3.keccak_256()
    with path.open("rb") as file:
        while piece := file.read(1 << 22):
            digest.update(piece)
    return bytes(digest.digest())


def flush(path: Path) -> None:
    """Sees that a file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
