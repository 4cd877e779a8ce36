"""The store of files, as pages link it and as it is served: by hash alone, never as anything that runs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from ledger.domain.canonical import ZERO32
from ledger.domain.errors import AuditFailed, LedgerError
from ledger.operations.files import FileStore
from ledger.operations.usage_files import REPORT_FILE, tables_of
from ledger.web.snapshot import Snapshot

#: Where a store keeps usage reports, each a folder by its hash.
USAGE = "usage"
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", re.ASCII)
_NAME = re.compile(r"(?:0x)?([0-9a-f]{64})", re.ASCII)
#: The fields of entries that name a file by its hash.
_NAMING = ("fileHash", "reportHash", "usageHash", "ruleHash")


class Files:
    """What is in the store; each file is looked for once."""

    def __init__(self, store: FileStore) -> None:
        self.store = store
        self._kept: dict[str, bool] = {}

    def kept(self, digest: str) -> bool:
        """Whether the store has the file with this hash (0x and 64 digits), whole."""
        if digest not in self._kept:
            self._kept[digest] = self.store.has(bytes.fromhex(digest[2:]))
        return self._kept[digest]

    def look_again(self) -> None:
        """Forgets what was missing: a licensee may have sent it since."""
        self._kept = {digest: True for digest, kept in self._kept.items() if kept}

    def usage(self, digest: str, name: str) -> Path | None:
        """A file of an imported usage report; None for any that the report's description does not name."""
        if _NAME.fullmatch(digest) is None or name not in self.usage_names(digest):
            return None
        path = self._usage_folder(digest) / name
        return path if path.is_file() and not path.is_symlink() else None

    def usage_names(self, digest: str) -> list[str]:
        """The names of the files of a usage report; none where a store on this machine does not have it."""
        try:
            folder = self._usage_folder(digest)
            return [REPORT_FILE, *(one for one in tables_of(folder) if _PLAIN.fullmatch(one))]
        except (LedgerError, OSError, KeyError, TypeError):
            return []

    def _usage_folder(self, digest: str) -> Path:
        if self.store.shown.startswith(("http://", "https://")):
            raise LedgerError("A store that is read by URL is not served again.", self.store.shown)
        return self.store.folder(f"{USAGE}/{digest}", [], Path())

    def get(self, name: str) -> bytes | None:
        """The file of this name: 64 lower-case hexadecimal digits, with or without 0x; None for anything else,
        for a file that is not there, and for one that was changed.
        """
        found = _NAME.fullmatch(name)
        if found is None:
            return None
        try:
            return self.store.get(bytes.fromhex(found[1]))
        except (AuditFailed, LedgerError):
            return None


def media_type(content: bytes) -> str:
    """Text, where it is text; never a type that a browser would run."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return "application/octet-stream"
    return "application/octet-stream" if "\0" in text else "text/plain; charset=utf-8"


def named_usage(snapshot: Snapshot) -> Iterator[str]:
    """The hashes of all usage reports that distributions name, each once."""
    posted = (one.entry.args.get("usageHash", ZERO32) for one in snapshot.books.events)
    yield from (digest.hex() for digest in dict.fromkeys(posted) if digest != ZERO32)


def named_files(snapshot: Snapshot) -> Iterator[bytes]:
    """The hashes of all files that the entries name, each once."""
    seen = {ZERO32}
    for event in snapshot.books.events:
        for name in _NAMING:
            digest = event.entry.args.get(name)
            if isinstance(digest, bytes) and digest not in seen:
                seen.add(digest)
                yield digest
    for grant in snapshot.books.licences.grants.values():
        if grant.terms.document not in seen:
            seen.add(grant.terms.document)
            yield grant.terms.document
