"""The store of files by content: terms, manifests, reports, usage. A name is the hash, so a wrong file is
noticed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from ledger.chain.folders import write_whole
from ledger.domain.canonical import keccak256
from ledger.domain.errors import AuditFailed, LedgerError

_LARGEST = 256 * 1024 * 1024


class FileStore:
    """Files below a folder, each under its keccak256 and findable by its SHA-256 too; or a URL that serves
    them.
    """

    def __init__(self, place: Path | str) -> None:
        text = str(place)
        self._url = text.rstrip("/") if text.startswith(("http://", "https://")) else ""
        self._folder = Path() if self._url else Path(place).expanduser()

    @property
    def shown(self) -> str:
        """The place, for messages."""
        return self._url or str(self._folder)

    def put(self, content: bytes) -> bytes:
        """Keeps a file; returns its keccak256. Raises LedgerError where the store is served by a URL."""
        return self._put(content, flush=True)

    def put_all(self, contents: Iterable[bytes]) -> list[bytes]:
        """Keeps many files, written through to the disk together; returns their keccak256."""
        digests = [self._put(content, flush=False) for content in contents]
        os.sync()
        return digests

    def _put(self, content: bytes, *, flush: bool) -> bytes:
        if self._url:
            raise LedgerError(
                "Files cannot be put into a store that is read by URL.", self._url, remedy="Give --files DIR."
            )
        digest = keccak256(content)
        path = self._path(digest)
        if not path.exists():
            write_whole(path, content, flush=flush)
        alias = self._folder / "sha256" / hashlib.sha256(content).hexdigest()
        if not alias.exists():
            write_whole(alias, digest.hex().encode(), flush=flush)
        return digest

    def get(self, digest: bytes) -> bytes:
        """The file with this keccak256 or SHA-256. Raises LedgerError if it is missing, AuditFailed if it
        is another.
        """
        content = self._fetch(digest) if self._url else self._read(digest)
        if digest not in (keccak256(content), hashlib.sha256(content).digest()):
            raise AuditFailed(
                "A file of the store does not have the hash that it is named by.",
                f"{self.shown}, 0x{digest.hex()}",
                "It was changed or damaged after it was kept.",
                "Remove it and take it from whoever wrote it.",
            )
        return content

    def has(self, digest: bytes) -> bool:
        """Whether the file is there and whole."""
        try:
            self.get(digest)
        except LedgerError:
            return False
        return True

    def _path(self, digest: bytes) -> Path:
        return self._folder / digest.hex()

    def _read(self, digest: bytes) -> bytes:
        alias = self._folder / "sha256" / digest.hex()
        try:
            if alias.exists():
                digest = bytes.fromhex(alias.read_text(encoding="ascii"))
            return self._path(digest).read_bytes()
        except FileNotFoundError:
            raise self._missing(digest) from None
        except (OSError, ValueError) as error:
            raise LedgerError(
                "A file of the store cannot be read.", str(self._path(digest)), str(error)
            ) from error

    def _fetch(self, digest: bytes) -> bytes:
        import httpx

        try:
            answer = httpx.get(f"{self._url}/{digest.hex()}", timeout=30, follow_redirects=True)
        except httpx.HTTPError as error:
            raise LedgerError("The store of files does not answer.", self._url, str(error)) from error
        if answer.status_code != 200 or len(answer.content) > _LARGEST:
            raise self._missing(digest)
        return answer.content

    def _missing(self, digest: bytes) -> LedgerError:
        return LedgerError(
            f"The file 0x{digest.hex()} is not in the store.",
            self.shown,
            remedy="Ask whoever wrote it for the file, or name the place that has it: --files DIR or URL.",
        )
