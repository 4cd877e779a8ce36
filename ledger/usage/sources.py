"""Files read as chunks of whole lines in bounded memory: plain or gzip, with a limit on what they unpack to."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from ledger.usage.flaws import FlawKind

CHUNK = 8 * 1024 * 1024
#: A chunk has at most so many lines: memory holds some hundred bytes for each.
LINES = 256 * 1024
#: A line may have so many bytes; of a longer one only the beginning is kept.
LINE_LIMIT = 1 << 20
KEPT_OF_LONG_LINE = 200
#: A gzip file may unpack to so many times its size once it is larger than `_FREE`. Usage files reach 5 to 40.
RATIO_LIMIT = 250
_FREE = 64 * 1024 * 1024
#: The most bytes that a file may unpack to.
LARGEST = 256 * 1024**3


class SourceRefused(Exception):
    """The file cannot be read on; what was read before stays counted."""

    def __init__(self, kind: FlawKind, what: str, why: str = "") -> None:
        self.kind, self.what, self.why = kind, what, why
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines, each with its end of line."""

    data: bytes


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line above LINE_LIMIT: how it begins, and how long it is."""

    begin: bytes
    length: int


class Source:
    """One file. After `chunks` is through, `sha256`, `size` (bytes on disk) and `torn` hold.

    `torn`: the last line has no end of line. `packed`: it is a gzip archive.
    """

    def __init__(self, path: Path, *, chunk: int = CHUNK, largest: int = LARGEST) -> None:
        self.path = path
        self._chunk = chunk
        self.largest = largest
        self._hash = hashlib.sha256()
        self.size = 0
        self.torn = False
        self.packed = False

    @property
    def sha256(self) -> bytes:
        """SHA-256 of the bytes on disk that were read."""
        return self._hash.digest()

    def on_disk(self) -> int:
        """Size of the file; 0 where it cannot be told."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    def finish(self) -> None:
        """Reads the rest for its hash, after the file was refused half way."""
        try:
            with self.path.open("rb") as file:
                file.seek(self.size)
                while piece := file.read(self._chunk):
                    self._hash.update(piece)
                    self.size += len(piece)
        except OSError:
            return

    # ---- bytes

    def pieces(self) -> Iterator[bytes]:
        """The unpacked bytes, a piece at a time. Raises SourceRefused."""
        try:
            with self.path.open("rb") as file:
                begin = file.read(2)
                file.seek(0)
                self.packed = begin == b"\x1f\x8b"
                yield from self._unpacked(file) if self.packed else self._plain(file)
        except OSError as error:
            what = error.strerror or str(error)
            raise SourceRefused(FlawKind.UNREADABLE, "The file cannot be read.", what) from error

    def _read(self, file: BinaryIO, size: int) -> bytes:
        piece = file.read(size)
        self._hash.update(piece)
        self.size += len(piece)
        return piece

    def _plain(self, file: BinaryIO) -> Iterator[bytes]:
        total = 0
        while piece := self._read(file, self._chunk):
            total += len(piece)
            if total > self.largest:
                raise SourceRefused(FlawKind.SIZE, f"The file is larger than {self.largest:,} bytes.")
            yield piece

    def _unpacked(self, file: BinaryIO) -> Iterator[bytes]:
        total = 0
        packer = zlib.decompressobj(wbits=31)
        fed = self._read(file, 1 << 18)
        began = False
        while fed or not packer.eof:
            if packer.eof:
                # Another member may follow; zeros are padding.
                fed = fed.lstrip(b"\0") or self._read(file, 1 << 18).lstrip(b"\0")
                if not fed:
                    return
                packer = zlib.decompressobj(wbits=31)
                began = False
            try:
                piece = packer.decompress(fed, self._chunk)
            except zlib.error as error:
                if packer.eof or (not began and total):
                    raise SourceRefused(
                        FlawKind.UNREADABLE, "Something else follows the end of the gzip archive.", str(error)
                    ) from error
                raise SourceRefused(
                    FlawKind.UNREADABLE, "The gzip archive is damaged.", str(error)
                ) from error
            began = True
            total += len(piece)
            if total > self.largest:
                raise SourceRefused(FlawKind.SIZE, f"The file unpacks to more than {self.largest:,} bytes.")
            if total > _FREE and total > RATIO_LIMIT * self.size:
                raise SourceRefused(
                    FlawKind.SIZE,
                    f"The file unpacks to more than {RATIO_LIMIT} times its size.",
                    f"{self.size:,} bytes gave {total:,} and more; a usage file gives 5 to 40 times its size.",
                )
            if piece:
                yield piece
            fed = packer.unused_data if packer.eof else packer.unconsumed_tail
            if not fed:
                fed = self._read(file, 1 << 18)
                if not fed and not packer.eof:
                    raise SourceRefused(FlawKind.CUT, "The gzip archive ends in the middle.")

    # ---- lines

    def chunks(self) -> Iterator[Chunk | LongLine]:
        """The file's lines. Raises SourceRefused: other encodings and archives that cannot be read."""
        rest = b""
        long_begin, long_size, last = b"", 0, b""
        for read in looked_at(self.pieces()):
            piece = read
            if long_size:
                cut = piece.find(b"\n")
                if cut < 0:
                    long_size, last = long_size + len(piece), piece[-1:]
                    continue
                # A carriage return before the end of line is no part of it.
                last = piece[cut - 1 : cut] if cut else last
                yield LongLine(long_begin, long_size + cut - (last == b"\r"))
                long_begin, long_size, piece = b"", 0, piece[cut + 1 :]
            cut = piece.rfind(b"\n") + 1
            if cut:
                whole = b"".join((rest, memoryview(piece)[:cut]))
                yield from _bounded(whole)
                rest = piece[cut:]
            else:
                rest += piece
            # One more, for it may be a carriage return.
            if len(rest) > LINE_LIMIT + 1:
                long_begin, long_size, last, rest = rest[:KEPT_OF_LONG_LINE], len(rest), rest[-1:], b""
        if long_size:
            self.torn = True
            yield LongLine(long_begin, long_size - (last == b"\r"))
        elif rest:
            self.torn = True
            yield Chunk(rest + b"\n")


def _bounded(whole: bytes) -> Iterator[Chunk]:
    """Whole lines as chunks of at most LINES lines."""
    if whole.count(b"\n") <= LINES:
        yield Chunk(whole)
        return
    at = 0
    while at < len(whole):
        # So many bytes have no more lines; a line that is longer stands alone.
        end = whole.rfind(b"\n", at, at + LINES) + 1 or whole.find(b"\n", at + LINES) + 1
        yield Chunk(whole[at:end])
        at = end


def looked_at(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """The pieces of a file that is to be text. Raises SourceRefused where the first is plainly not."""
    first = next(pieces, None)
    if first is not None:
        _look(first)
        yield first
        yield from pieces


def _look(piece: bytes) -> None:
    """Refuses what is plainly no UTF-8 text by its first bytes."""
    for mark, name in ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"), (b"\0\0\xfe\xff", "UTF-32")):
        if piece.startswith(mark):
            raise SourceRefused(FlawKind.FILE_ENCODING, f"The file is in {name}.", "Usage files are UTF-8.")
    begin = piece[:4096]
    if len(begin) >= 8 and begin.count(0) * 5 > 2 * len(begin):
        raise SourceRefused(
            FlawKind.FILE_ENCODING, "The file is in UTF-16 or holds no text.", "Usage files are UTF-8."
        )
    if begin.startswith((b"PK\x03\x04", b"PAR1")):
        raise SourceRefused(FlawKind.UNREADABLE, "The file is no text, whatever its name says.")
