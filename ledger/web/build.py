"""The site as a folder: the same pages as `serve` shows, for any host, any path below it, and for a disk."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ledger.chain.folders import write_whole
from ledger.domain.errors import LedgerError
from ledger.web.pages import Content, Site, error_page, module_hash

#: Lists what was written: the next build takes away what is no longer there.
MANIFEST = "site.json"
_FORM = "licence-ledger site"


@dataclass(frozen=True, slots=True)
class Built:
    """What a build wrote."""

    folder: Path
    files: int
    size: int
    removed: int
    manifest: bytes


def build(
    site: Site,
    folder: Path,
    *,
    told: Callable[[int], None] = lambda done: None,
) -> Built:
    """Writes every page and file. The same ledger at the same block gives the same bytes.

    Raises LedgerError where the folder holds something else than an earlier build.
    """
    before = _before(folder)
    hashes: dict[str, str] = {}
    size = 0
    for path, content in _made(site):
        if content.file is not None:
            size += _copy(folder, path, content.file, hashes)
        else:
            size += _put(folder, path, content.body, hashes)
        told(1)
    size += _put(
        folder,
        "404.html",
        error_page("There is no such page", "Nothing stands at this address.", ""),
        hashes,
    )
    snapshot = site.snapshot
    manifest: dict[str, Any] = {
        "form": _FORM,
        "version": 1,
        "chain_id": snapshot.chain_id,
        "block": snapshot.block,
        "block_hash": snapshot.block_hash,
        "module": module_hash() or None,
        "files": dict(sorted(hashes.items())),
    }
    removed = 0
    for path in before - hashes.keys():
        (folder / path).unlink(missing_ok=True)
        removed += 1
    body = (json.dumps(manifest, indent=1) + "\n").encode()
    _write(folder / MANIFEST, body)
    return Built(folder, len(hashes) + 1, size + len(body), removed, body)


def _made(site: Site) -> Iterator[tuple[str, Content]]:
    """Every path and what stands there. PDFs are set beside the other pages: setting one leaves Python to the rest."""
    workers = os.cpu_count() or 1
    waiting: deque[tuple[str, Future[Content | None]]] = deque()

    def ready(most: int) -> Iterator[tuple[str, Content]]:
        """Those that are set, and as many more as leave no more than `most` waiting."""
        while waiting and (len(waiting) > most or waiting[0][1].done()):
            path, future = waiting.popleft()
            if content := future.result():
                yield path, content

    with ThreadPoolExecutor(workers) as pool:
        for path in site.paths():
            finish = site.begun(path)
            if path.endswith(".pdf"):
                waiting.append((path, pool.submit(finish)))
            elif content := finish():
                yield path, content
            yield from ready(2 * workers)
        yield from ready(0)


def _put(folder: Path, path: str, body: bytes, hashes: dict[str, str]) -> int:
    _write(folder / path, body)
    hashes[path] = hashlib.sha256(body).hexdigest()
    return len(body)


def _copy(folder: Path, path: str, source: Path, hashes: dict[str, str]) -> int:
    target = folder / path
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        with target.open("rb") as held:
            hashes[path] = hashlib.file_digest(held, "sha256").hexdigest()
        return target.stat().st_size
    except OSError as error:
        raise LedgerError("A file cannot be written.", str(target), error.strerror or str(error)) from error


def _write(path: Path, body: bytes) -> None:
    try:
        write_whole(path, body, flush=False)
    except OSError as error:
        raise LedgerError("A page cannot be written.", str(path), error.strerror or str(error)) from error


def _before(folder: Path) -> set[str]:
    """The files of an earlier build. Raises LedgerError for a folder that is none and not empty."""
    try:
        held = json.loads((folder / MANIFEST).read_bytes())
        if held["form"] == _FORM:
            return {path for path in held["files"] if _inside(path)}
    except (OSError, ValueError, KeyError, TypeError):
        pass
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LedgerError(
            "The folder holds something else than an earlier build of the site.",
            str(folder),
            remedy="Name a new folder, or an empty one.",
        )
    return set()


def _inside(path: object) -> bool:
    return isinstance(path, str) and not path.startswith("/") and ".." not in PurePosixPath(path).parts
