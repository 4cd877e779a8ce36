"""A bundle: all evidence of one audit in one file, verified offline by the same steps. See docs/reference/bundle.md.

JSON Lines, each line in canonical form (RFC 8785): first what the bundle is, then the entries in the order of the
chain, then the trie nodes in the order of their hashes, then what tokens say of their balances, then the counts.
So the same audit of the same anchor gives the same bytes, whichever node served it.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

import orjson

from ledger.audit.bundle_form import (
    COUNTED,
    FORMAT,
    FULL,
    KEYS,
    LINES,
    LONGEST,
    VERSION,
    bytes_of,
    check_first,
    check_order,
    demand,
)
from ledger.audit.source import Progress, Proof, Source
from ledger.chain.reader import ChainLog
from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError
from ledger.domain.headers import Header, header_of_rlp
from ledger.domain.journal import is_entry
from ledger.domain.rlp import Malformed
from ledger.domain.trie import Node, NodeReader, decode_account, lookup


def line_of(value: dict[str, Any]) -> bytes:
    """A line in its canonical form."""
    # Keys sorted, no spaces, integers below 2^53, ASCII only: this is RFC 8785's form.
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS) + b"\n"


def hex_of(value: bytes) -> str:
    """0x and digits."""
    return "0x" + value.hex()


def entry_line(name: str, log: ChainLog) -> bytes:
    """The line of an entry of the contract `name`."""
    told = [name, log.block_number, log.timestamp, *map(hex_of, log.topics), hex_of(log.data)]
    return line_of({"entry": told})


class Recorder:
    """A source that writes down what another one answers; `close` ends the bundle, `discard` drops it.

    `about`: what the first line says beside chain, anchor and header.
    """

    def __init__(self, source: Source, path: Path, names: dict[str, str], about: dict[str, Any]) -> None:
        """`names`: the contracts with a journal by address."""
        self.source = source
        self.chain_id = source.chain_id
        self.path = path
        self._names = names
        self._about = about
        self._nodes: set[bytes] = set()
        self._balances: dict[str, str] = {}
        self._logs = 0
        self._partial = path.with_name(f".{path.name}.partial")
        try:
            self._file: IO[bytes] = self._partial.open("wb")
        except OSError as error:
            raise LedgerError("The bundle cannot be written.", str(path), error.strerror or "") from error

    def header(self, anchor: bytes | None) -> Header | None:
        """Writes the first line."""
        header = self.source.header(anchor)
        if header is not None:
            first = {
                "format": FORMAT,
                "version": VERSION,
                "kind": FULL,
                "chain_id": self.chain_id,
                "anchor": hex_of(header.hash),
                "header": hex_of(header.raw),
                "contracts": {name: address for address, name in self._names.items()},
                **self._about,
            }
            self._file.write(line_of(first))
        return header

    def logs(
        self, addresses: Sequence[str], first: int, last: int, progress: Progress | None = None
    ) -> Iterator[ChainLog]:
        """Writes each entry."""
        for log in self.source.logs(addresses, first, last, progress):
            name = self._names.get(log.address)
            if name is not None and is_entry(name, log.topics):
                self._file.write(entry_line(name, log))
                self._logs += 1
            yield log

    def proofs(self, address: str, slots: Sequence[bytes], block: int) -> Proof:
        """Keeps the nodes."""
        proof = self.source.proofs(address, slots, block)
        self._nodes.update(proof.account)
        for nodes in proof.slots:
            self._nodes.update(nodes)
        return proof

    def balance(self, token: str, owner: str, block: int) -> int | None:
        """Keeps what a token says."""
        held = self.source.balance(token, owner, block)
        if held is not None:
            self._balances[token] = str(held)
        return held

    def headers(self, first: int, last: int) -> Iterator[Header]:
        """Not recorded."""
        return self.source.headers(first, last)

    def receipts(self, block: int) -> list[dict[str, Any]]:
        """Not recorded."""
        return self.source.receipts(block)

    def head_at(self, address: str, block: int) -> bytes | None:
        """Not recorded."""
        return self.source.head_at(address, block)

    def close(self) -> None:
        """Writes the rest and puts the file into its place."""
        # Embedded nodes, and the mark of an empty trie, stand in their parents.
        nodes = sorted((keccak256(one), one) for one in self._nodes if len(one) >= 32 or one[0] >= 0xC0)
        for _, node in nodes:
            self._file.write(line_of({"node": hex_of(node)}))
        for token, held in sorted(self._balances.items()):
            self._file.write(line_of({"balance": [token, held]}))
        counts = {"entries": self._logs, "nodes": len(nodes), "balances": len(self._balances)}
        self._file.write(line_of({"end": counts}))
        self._file.close()
        self._partial.replace(self.path)

    def discard(self) -> None:
        """Leaves no bundle."""
        self._file.close()
        self._partial.unlink(missing_ok=True)


class BundleSource:
    """The evidence in a bundle. Every method raises Malformed for what the bundle lacks."""

    def __init__(self, path: Path) -> None:
        """Reads all but the entries, which are read when they are asked for. Raises Malformed, LedgerError."""
        self.path = path
        self._nodes: dict[bytes, bytes] = {}
        self._balances: dict[str, int] = {}
        #: Lines of other kinds, which the verifier of that kind of bundle reads.
        self.more: dict[str, list[Any]] = {"leaf": [], "token": [], "terms": []}
        self._reader = NodeReader()
        self._used: set[bytes] = set()
        with shaped("the first line"):
            lines = self._lines()
            self.about = next(lines, {})
            version = self.about.get("version")
            if (self.about.get("format"), version) != (FORMAT, VERSION) or type(version) is not int:
                raise Malformed(
                    "The file is no bundle that this version knows.",
                    str(path),
                    remedy=f"It reads {FORMAT} {VERSION}.",
                )
            kind = self.about.get("kind")
            if not isinstance(kind, str) or kind not in LINES:
                raise Malformed("The bundle is of an unknown kind.", str(path))
            check_first(self.about)
            self.chain_id: int = self.about["chain_id"]
            self._header = header_of_rlp(bytes_of(self.about["header"]))
            self._addresses: dict[str, str] = self.about["contracts"]
        self._counts = dict.fromkeys(LINES[kind], 0)
        self._stage = ""
        self._key: tuple[Any, ...] | None = None
        ended = False
        for number, line in enumerate(lines, 2):
            with shaped(f"line {number}"):
                if ended:
                    raise Malformed("The bundle goes on after its end.")
                ended = self._take(line)
        if not ended:
            raise Malformed(
                "The bundle ends early.", str(path), remedy="Copy it again, or have it made again."
            )

    def _take(self, line: dict[str, Any]) -> bool:
        """Keeps a line; whether it is the last."""
        ((kind, value),) = line.items()
        kinds = [*self._counts, "end"]
        if kind not in kinds[kinds.index(self._stage) if self._stage else 0 :]:
            raise Malformed(f"The bundle has a line of an unknown kind, or out of its place: {kind[:40]}.")
        if kind == "end":
            counts = {COUNTED.get(name, name): many for name, many in self._counts.items()}
            if value != counts or any(type(one) is not int for one in value.values()):
                raise Malformed(
                    "The bundle holds not what it says.", why=f"It says {value}, it holds {counts}."[:500]
                )
            return True
        key: tuple[Any, ...]
        if kind == "node":
            raw = bytes_of(value)
            key = (keccak256(raw),)
            self._nodes[key[0]] = raw
        else:
            key = KEYS[kind](value)
        check_order(kind, self._key if kind == self._stage else None, key)
        self._stage, self._key = kind, key
        self._counts[kind] += 1
        if kind == "entry":
            late = key[0] > self._header.number or key[1] > self._header.timestamp
            demand(not late, "an entry is later than the header")
        elif kind == "balance":
            self._balances[value[0]] = int(value[1])
        elif kind in self.more:
            self.more[kind].append(value)
        return False

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            with self.path.open("rb") as file:
                packed = file.read(2) == b"\x1f\x8b"
            opened: Any = gzip.open(self.path) if packed else self.path.open("rb")  # noqa: SIM115 - closed below
            with opened:
                while line := opened.readline(LONGEST):
                    yield _line(line)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise Malformed("The bundle cannot be unpacked.", str(self.path), str(error)) from error
        except OSError as error:
            raise LedgerError("The bundle cannot be read.", str(self.path), str(error)) from error

    def unused(self) -> int:
        """How many nodes no proof has needed so far."""
        return len(self._nodes) - len(self._used)

    # ---- a source

    def header(self, anchor: bytes | None) -> Header | None:
        """The bundle's own, whatever the anchor: the audit compares. Raises Malformed where it calls it another."""
        if anchor in (None, self._header.hash) and bytes_of(self.about["anchor"]) != self._header.hash:
            raise Malformed("The first line of the bundle names another block than its header is.")
        return self._header

    def logs(
        self, addresses: Sequence[str], first: int, last: int, progress: Progress | None = None
    ) -> Iterator[ChainLog]:
        """The entries."""
        for index, line in enumerate(self._lines()):
            if "entry" not in line:
                if index:
                    break
                continue
            with shaped(f"line {index + 1}"):
                name, block, time, *topics, data = line["entry"]
                log = ChainLog(
                    self._addresses[name],
                    int(block),
                    int(time),
                    b"",
                    b"",
                    index,
                    tuple(map(bytes_of, topics)),
                    bytes_of(data),
                )
            yield log
        if progress is not None:
            progress(last)

    def proofs(self, address: str, slots: Sequence[bytes], block: int) -> Proof:
        """Out of the bundle's nodes, by following the hashes."""
        account, held = self._way(self._header.state_root, keccak256(bytes.fromhex(address[2:])))
        root = decode_account(held).storage_root
        return Proof(account, tuple(self._way(root, keccak256(slot))[0] for slot in slots))

    def _way(self, root: bytes, key: bytes) -> tuple[tuple[bytes, ...], bytes | None]:
        """The nodes on the way to a key, as far as the bundle has them, and the key's value."""
        way: list[bytes] = []

        def fetch(wanted: bytes | Node) -> Node:
            if not isinstance(wanted, bytes):
                return wanted
            raw = self._nodes[wanted]
            self._used.add(wanted)
            way.append(raw)
            return self._reader.read(raw)[1]

        try:
            value = lookup(root, key, fetch)
        except KeyError:
            # A node is missing: the proof ends early, and whoever checks it says so of the very word.
            value = None
        return tuple(way), value

    def balance(self, token: str, owner: str, block: int) -> int | None:
        """As it was stated when the bundle was made."""
        return self._balances.get(token)

    def headers(self, first: int, last: int) -> Iterator[Header]:
        """None."""
        raise Malformed("A bundle holds no other headers.")

    def receipts(self, block: int) -> list[dict[str, Any]]:
        """None."""
        raise Malformed("A bundle holds no receipts.")

    def head_at(self, address: str, block: int) -> bytes | None:
        """None."""
        return None


def _line(line: bytes) -> dict[str, Any]:
    """A line's value. Raises Malformed unless it is in its canonical form."""
    if len(line) == LONGEST:
        raise Malformed("A line of the bundle is longer than any that a chain gives.")
    try:
        held = orjson.loads(line)
    except ValueError as error:
        raise Malformed("A line of the bundle is no JSON.", why=str(error)) from error
    if not isinstance(held, dict) or line_of(held) != line:
        raise Malformed("A line of the bundle is not in its canonical form.")
    return held


class shaped:  # noqa: N801 - reads as a statement
    """Makes a line of a wrong shape Malformed instead of a fault of ours."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | AttributeError | IndexError | OverflowError):
            why = str(error) if type(error) is ValueError else repr(error)
            raise Malformed(f"The bundle makes no sense in {self._where}.", why=why[:200]) from error
