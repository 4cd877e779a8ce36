"""A store of verified history: one SQLite file, sealed, from which the next audit goes on.

See docs/explain/decisions/0017-verified-history.md for what it holds, what is noticed and what is not.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ledger.audit.history import History
from ledger.audit.verified.codec import SHAPE, Key, parts, restored
from ledger.chain.folders import private_folder
from ledger.domain.errors import AuditFailed, LedgerError
from ledger.domain.headers import Header

#: In the file's head: "LLav".
_APPLICATION = 0x4C4C6176
#: Checkpoints that are kept, so that a replaced block costs no more than the blocks after it.
KEPT = 64
_FRESH = "Begin again: the same command with --fresh."

_TABLES = """
create table checkpoint (id integer primary key, body text not null, seal blob not null);
create table part (name text, number integer, data blob not null, primary key (name, number));
create table undo (checkpoint integer, name text, number integer, data blob);
create table node (hash blob primary key, body blob not null) without rowid;
create table told (hash blob, body blob);
create index undo_of on undo (checkpoint);
"""


class StoreTampered(AuditFailed):
    """The store is not as it was left."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Which ledger a store is about: contracts by name, lower-case addresses."""

    chain_id: int
    genesis: bytes
    contracts: Mapping[str, str]

    @property
    def name(self) -> str:
        """A file name for it."""
        return f"{self.chain_id}-{self.genesis.hex()[:8]}-{self.contracts['Splits'][2:10]}.store"

    def as_dict(self) -> dict[str, Any]:
        """For the checkpoint's body."""
        return {
            "chain_id": self.chain_id,
            "genesis": self.genesis.hex(),
            "contracts": dict(sorted(self.contracts.items())),
        }


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A block up to which all was verified. `roots`: storage roots by contract; `parts`: digests by name."""

    id: int
    block: int
    hash: bytes
    time: int
    roots: Mapping[str, bytes]
    heads: Mapping[str, bytes]
    counts: Mapping[str, int]
    transfers: bool
    first_block: int
    parts: Mapping[str, list[str]]

    @property
    def entries(self) -> int:
        """How many entries led to it."""
        return sum(self.counts.values())


@dataclass
class Draft:
    """The parts of a history as they would be kept: those that differ from the last checkpoint, digests of all."""

    data: dict[Key, bytes] = field(default_factory=dict)
    digests: dict[str, list[str]] = field(default_factory=dict)


def seal_key(folder: Path) -> bytes:
    """The key of the seals, made at first use; it stays in the folder, closed to others. Raises LedgerError."""
    path = private_folder(folder) / "seal.key"
    try:
        with suppress(FileExistsError), path.open("xb") as file:
            path.chmod(0o600)
            file.write(secrets.token_bytes(32))
        key = path.read_bytes()
    except OSError as error:
        raise LedgerError("The key of the seals cannot be read.", str(path), error.strerror or "") from error
    if len(key) != 32:
        raise StoreTampered("The key of the seals is damaged.", str(path), remedy=f"Remove it. {_FRESH}")
    return key


class Store:
    """One file. Nothing of it is used before its seal was checked."""

    def __init__(self, path: Path, key: bytes, identity: Identity) -> None:
        """Opens or makes the file. Raises LedgerError for one that is no store, or of another ledger."""
        self.path = path
        self.identity = identity
        self._key = key
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._base = sqlite3.connect(path, timeout=10, isolation_level=None)
            path.chmod(0o600)
        except (OSError, sqlite3.Error) as error:
            raise LedgerError("The store cannot be opened.", str(path), str(error)) from error
        try:
            with self._guarded():
                self._prepare()
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        (made,) = self._base.execute("pragma application_id").fetchone()
        (tables,) = self._base.execute("select count(*) from sqlite_master").fetchone()
        if made != _APPLICATION and tables:
            raise LedgerError("The file is another program's.", str(self.path), remedy="Name another file.")
        self._base.execute("pragma synchronous = full")
        self._base.execute("pragma cache_size = -16000")
        if not tables:
            self._base.executescript(f"begin; {_TABLES} pragma application_id = {_APPLICATION}; commit;")

    def close(self) -> None:
        """Closes the file."""
        self._base.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _guarded(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            if "locked" in str(error):
                raise LedgerError(
                    "Another audit is writing to the store.", str(self.path), remedy="Wait for it to end."
                ) from error
            raise self._damaged(str(error)) from error
        except (sqlite3.Error, OverflowError) as error:
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> StoreTampered:
        return StoreTampered("The store is damaged.", str(self.path), why, _FRESH)

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing, whatever ends the process."""
        with self._guarded():
            self._base.execute("begin immediate")
            try:
                yield
                self._base.execute("commit")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("rollback")
                raise

    # ---- reading

    def checkpoints(self) -> list[Checkpoint]:
        """Those kept, the newest first; each seal is checked. Raises LedgerError, StoreTampered."""
        with self._guarded():
            rows = self._base.execute("select id, body, seal from checkpoint order by id desc").fetchall()
            (left,) = self._base.execute("select count(*) from part").fetchone()
        if left and not rows:
            raise self._damaged("it has parts of a history, and no checkpoint")
        return [self._checkpoint(*row) for row in rows]

    def _checkpoint(self, number: int, body: str, seal: bytes) -> Checkpoint:
        if not isinstance(body, str) or not isinstance(seal, bytes):
            raise self._damaged("a checkpoint has no text or no seal")
        try:
            held = json.loads(body)
            shape, identity = held["shape"], held["identity"]
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(repr(error)) from error
        if shape != SHAPE:
            raise LedgerError("The store was made by another version.", str(self.path), remedy=_FRESH)
        if identity != self.identity.as_dict():
            if not isinstance(identity, dict):
                raise self._damaged("a checkpoint does not say of which ledger it is")
            raise LedgerError(
                "The store is about another ledger.",
                str(self.path),
                f"It is about chain {identity.get('chain_id')}, genesis 0x{identity.get('genesis')}; asked for "
                f"was chain {self.identity.chain_id}, genesis 0x{self.identity.genesis.hex()}.",
                "Name another file with --store, or begin again in this one with --fresh.",
            )
        if not secrets.compare_digest(self._seal(body), seal) or held["id"] != number:
            raise StoreTampered(
                "The store's seal is broken.",
                str(self.path),
                f"The checkpoint at block {held.get('block')} is not as this installation wrote it: it was "
                "changed, or was made with another key.",
                _FRESH,
            )
        return Checkpoint(
            number,
            held["block"],
            bytes.fromhex(held["hash"]),
            held["time"],
            {name: bytes.fromhex(one) for name, one in held["roots"].items()},
            {name: bytes.fromhex(one) for name, one in held["heads"].items()},
            held["counts"],
            held["transfers"],
            held["first_block"],
            held["parts"],
        )

    def _seal(self, body: str) -> bytes:
        return blake2b(body.encode(), key=self._key, digest_size=32).digest()

    def load(self, checkpoint: Checkpoint, history: History) -> History:
        """The history at the newest checkpoint, into an empty one. Raises StoreTampered."""
        with self._guarded():
            rows = self._base.execute("select name, number, data from part order by name, number").fetchall()
        held: dict[str, list[bytes]] = {}
        for name, number, data in rows:
            pieces = held.setdefault(str(name), [])
            digests = checkpoint.parts.get(str(name), [])
            if number != len(pieces) or number >= len(digests) or digest_of(data) != digests[number]:
                raise self._changed(f"part {number} of {name}", checkpoint)
            pieces.append(data)
        del rows
        for name, digests in checkpoint.parts.items():
            if len(digests) != len(held.get(name, ())):
                raise self._changed(f"a part of {name} is missing", checkpoint)
        restored(history, held)
        for name, folds in history.folds.items():
            if (folds.head, len(folds)) != (checkpoint.heads[name], checkpoint.counts[name]):
                raise self._changed(f"the journal of {name}", checkpoint)
        return history

    def _changed(self, what: str, checkpoint: Checkpoint) -> StoreTampered:
        why = f"Not as it was at block {checkpoint.block}: {what}."
        return StoreTampered("The store was changed, or is damaged.", str(self.path), why, _FRESH)

    def part(self, key: Key) -> bytes:
        """One part as it is kept. Raises KeyError."""
        with self._guarded():
            row = self._base.execute("select data from part where name = ? and number = ?", key).fetchone()
        if row is None or not isinstance(row[0], bytes):
            raise KeyError(key)
        return row[0]

    def node(self, digest: bytes) -> bytes | None:
        """The trie node that hashes to `digest`, unchecked."""
        with self._guarded():
            row = self._base.execute("select body from node where hash = ?", (digest,)).fetchone()
        return row[0] if row and isinstance(row[0], bytes) else None

    # ---- writing

    def draft(self, history: History, base: Checkpoint | None) -> Draft:
        """What would be kept of a history, and what of it differs from the checkpoint that it went on from."""
        before = base.parts if base else {}
        # The last part of what only grows may have been filled up.
        known = {name: max(0, len(digests) - 1) for name, digests in before.items()}
        made = Draft({}, {name: [] for name in before})
        for (name, number), data in parts(history, known):
            digests = made.digests.setdefault(name, [])
            if number > len(digests):
                digests += before[name][len(digests) : number]
            digest = digest_of(data)
            if number >= len(before.get(name, ())) or before[name][number] != digest:
                made.data[name, number] = data
            digests.append(digest)
        return made

    @contextmanager
    def gathering(self) -> Iterator[Callable[[bytes, bytes], None]]:
        """Takes trie nodes, hash and content, into one transaction, which `save` ends and nothing else keeps."""
        waiting: list[tuple[bytes, bytes]] = []

        def flush() -> None:
            self._base.executemany("insert into told values (?, ?)", waiting)
            waiting.clear()

        def take(digest: bytes, body: bytes) -> None:
            waiting.append((digest, body))
            if len(waiting) >= 4_096:
                flush()

        with self._guarded():
            self._base.execute("begin immediate")
            self._flush = flush
            try:
                yield take
            finally:
                if self._base.in_transaction:
                    self._base.execute("rollback")

    def save(
        self,
        history: History,
        header: Header,
        roots: Mapping[str, bytes],
        draft: Draft,
        base: Checkpoint | None,
        *,
        transfers: bool,
        first_block: int,
    ) -> Checkpoint:
        """Ends the transaction of `gathering` with a checkpoint at a block. Without a base all else is dropped."""
        with self._guarded():
            (newest,) = self._base.execute("select max(id) from checkpoint").fetchone()
            if base is not None and newest != base.id:
                raise LedgerError("Another audit wrote to the store.", str(self.path), remedy="Run it again.")
            number = (newest or 0) + 1
            self._flush()
            if base is None:
                for table in ("checkpoint", "part", "undo", "node"):
                    self._base.execute(f"delete from {table}")
            self._base.execute("insert or ignore into node select hash, body from told order by hash")
            self._base.execute("delete from told")
            self._keep_parts(number, draft, base)
            folds = history.folds
            body = json.dumps(
                {
                    "id": number,
                    "shape": SHAPE,
                    "identity": self.identity.as_dict(),
                    "block": header.number,
                    "hash": header.hash.hex(),
                    "time": header.timestamp,
                    "roots": {name: one.hex() for name, one in roots.items()},
                    "heads": {name: one.head.hex() for name, one in folds.items()},
                    "counts": {name: len(one) for name, one in folds.items()},
                    "transfers": transfers,
                    "first_block": first_block,
                    "parts": draft.digests,
                }
            )
            self._base.execute("insert into checkpoint values (?, ?, ?)", (number, body, self._seal(body)))
            self._base.execute("delete from checkpoint where id <= ?", (number - KEPT,))
            self._base.execute("delete from undo where checkpoint <= ?", (number - KEPT + 1,))
            self._base.execute("commit")
        return self._checkpoint(number, body, self._seal(body))

    def _keep_parts(self, number: int, draft: Draft, base: Checkpoint | None) -> None:
        before = {
            (name, at) for name, digests in (base.parts if base else {}).items() for at in range(len(digests))
        }
        now = {(name, at) for name, digests in draft.digests.items() for at in range(len(digests))}
        for name, at in before & draft.data.keys() | before - now:
            self._base.execute(
                "insert into undo select ?, name, number, data from part where name = ? and number = ?",
                (number, name, at),
            )
        for name, at in now - before:
            self._base.execute("insert into undo values (?, ?, ?, null)", (number, name, at))
        self._base.executemany("delete from part where name = ? and number = ?", before - now)
        rows = ((name, at, data) for (name, at), data in draft.data.items())
        self._base.executemany("insert or replace into part values (?, ?, ?)", rows)

    def roll_back(self, checkpoint: Checkpoint) -> None:
        """Takes back all that came after a checkpoint that is kept."""
        with self._writing():
            rows = self._base.execute(
                "select name, number, data from undo where checkpoint > ? order by checkpoint desc",
                (checkpoint.id,),
            ).fetchall()
            for name, number, data in rows:
                if data is None:
                    self._base.execute("delete from part where name = ? and number = ?", (name, number))
                else:
                    self._base.execute("insert or replace into part values (?, ?, ?)", (name, number, data))
            self._base.execute("delete from undo where checkpoint > ?", (checkpoint.id,))
            self._base.execute("delete from checkpoint where id > ?", (checkpoint.id,))

    @classmethod
    def begin_again(cls, path: Path, key: bytes, identity: Identity) -> Store:
        """Removes a store that is there, whole or damaged, and opens a new one. Raises LedgerError for other files."""
        try:
            with path.open("rb") as file:
                start = file.read(100)
            # "Application ID" of the file format, https://www.sqlite.org/fileformat.html
            if start and start[68:72] != _APPLICATION.to_bytes(4, "big"):
                raise LedgerError(
                    "The file is no store.", str(path), remedy="Name another file, or remove it."
                )
            for one in (path, path.with_name(path.name + "-journal")):
                one.unlink(missing_ok=True)
        except FileNotFoundError:
            pass
        except OSError as error:
            raise LedgerError("The store cannot be removed.", str(path), error.strerror or "") from error
        return cls(path, key, identity)


def digest_of(data: Iterable[int] | bytes) -> str:
    """What tells a part as it was kept; nothing tells what is no bytes."""
    return blake2b(data, digest_size=32).hexdigest() if isinstance(data, bytes) else ""
