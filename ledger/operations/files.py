"""The store of files by content: terms, manifests, reports, usage. A name is the hash, so a wrong file is
noticed.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
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
            raise self._by_url()
        digest = keccak256(content)
        path = self._path(digest)
        if not path.exists():
            write_whole(path, content, flush=flush)
        self._alias(digest, hashlib.sha256(content).digest(), flush=flush)
        return digest

    def _alias(self, digest: bytes, sha256: bytes, *, flush: bool) -> None:
        alias = self._folder / "sha256" / sha256.hex()
        if not alias.exists():
            write_whole(alias, digest.hex().encode(), flush=flush)

    def put_file(self, source: Path) -> bytes:
        """Keeps a file of any size; returns its keccak256. Raises LedgerError where the store is served by a URL."""
        if self._url:
            raise self._by_url()
        self._folder.mkdir(parents=True, exist_ok=True)
        partial = self._folder / f".{os.getpid()}-{source.name}.partial"
        try:
            keccak, sha256 = _copied(_pieces(source), partial)
            if not self._path(keccak).exists():
                partial.replace(self._path(keccak))
        finally:
            partial.unlink(missing_ok=True)
        self._alias(keccak, sha256, flush=True)
        return keccak

    def copy(self, digest: bytes, target: Path) -> None:
        """Writes the file with this keccak256 or SHA-256 to `target`, whatever its size. Raises as `get` does."""
        if self._url:
            target.write_bytes(self.get(digest))
            return
        place = self._found(digest)
        try:
            held = _copied(_pieces(place), target)
        except FileNotFoundError:
            raise self._missing(digest) from None
        except OSError as error:
            raise LedgerError("A file of the store cannot be read.", str(place), str(error)) from error
        if digest not in held:
            raise self._other(digest)

    def get(self, digest: bytes) -> bytes:
        """The file with this keccak256 or SHA-256. Raises LedgerError if it is missing, AuditFailed if it
        is another.
        """
        content = self._fetch(digest) if self._url else self._read(digest)
        if digest not in (keccak256(content), hashlib.sha256(content).digest()):
            raise self._other(digest)
        return content

    def folder(self, name: str, files: Iterable[str], scratch: Path) -> Path:
        """The folder `name` of the store with these files in it; one that is read by URL is copied below `scratch`.

        Raises LedgerError where it is missing. Nothing is checked: only the one who knows the hashes can.
        """
        if not self._url:
            place = self._folder / name
            if place.is_dir():
                return place
            raise LedgerError(f"The folder {name} is not in the store.", self.shown)
        import httpx

        place = scratch / name
        place.mkdir(parents=True, exist_ok=True)
        for file in files:
            try:
                with httpx.stream(
                    "GET", f"{self._url}/{name}/{file}", timeout=30, follow_redirects=True
                ) as answer:
                    if answer.status_code != 200:
                        raise LedgerError(f"The file {name}/{file} is not in the store.", self.shown)
                    with (place / file).open("wb") as out:
                        for piece in answer.iter_bytes(1 << 20):
                            out.write(piece)
            except httpx.HTTPError as error:
                raise LedgerError("The store of files does not answer.", self._url, str(error)) from error
        return place

    def has(self, digest: bytes) -> bool:
        """Whether the file is there and whole."""
        try:
            self.get(digest)
        except LedgerError:
            return False
        return True

    def _path(self, digest: bytes) -> Path:
        return self._folder / digest.hex()

    def _found(self, digest: bytes) -> Path:
        """Where the file with this keccak256 or SHA-256 is, if it is there."""
        alias = self._folder / "sha256" / digest.hex()
        try:
            if alias.exists():
                return self._path(bytes.fromhex(alias.read_text(encoding="ascii")))
        except (OSError, ValueError) as error:
            raise LedgerError("A file of the store cannot be read.", str(alias), str(error)) from error
        return self._path(digest)

    def _read(self, digest: bytes) -> bytes:
        place = self._found(digest)
        try:
            return place.read_bytes()
        except FileNotFoundError:
            raise self._missing(digest) from None
        except OSError as error:
            raise LedgerError("A file of the store cannot be read.", str(place), str(error)) from error

    def _fetch(self, digest: bytes) -> bytes:
        import httpx

        try:
            answer = httpx.get(f"{self._url}/{digest.hex()}", timeout=30, follow_redirects=True)
        except httpx.HTTPError as error:
            raise LedgerError("The store of files does not answer.", self._url, str(error)) from error
        if answer.status_code != 200 or len(answer.content) > _LARGEST:
            raise self._missing(digest)
        return answer.content

    def _by_url(self) -> LedgerError:
        return LedgerError(
            "Files cannot be put into a store that is read by URL.", self._url, remedy="Give --files DIR."
        )

    def _other(self, digest: bytes) -> AuditFailed:
        return AuditFailed(
            "A file of the store does not have the hash that it is named by.",
            f"{self.shown}, 0x{digest.hex()}",
            "It was changed or damaged after it was kept.",
            "Remove it and take it from whoever wrote it.",
        )

    def _missing(self, digest: bytes) -> LedgerError:
        return LedgerError(
            f"The file 0x{digest.hex()} is not in the store.",
            self.shown,
            remedy="Ask whoever wrote it for the file, or name the place that has it: --files DIR or URL.",
        )


def _pieces(source: Path) -> Iterator[bytes]:
    with source.open("rb") as file:
        while piece := file.read(1 << 22):
            yield piece


def _copied(pieces: Iterable[bytes], target: Path) -> tuple[bytes, bytes]:
    """Writes pieces to a file, through to the disk; keccak256 and SHA-256 of them."""
    import sha3

    keccak, sha256 = sha3.keccak_256(), hashlib.sha256()
    with target.open("wb") as out:
        for piece in pieces:
            keccak.update(piece)
            sha256.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    return bytes(keccak.digest()), sha256.digest()
