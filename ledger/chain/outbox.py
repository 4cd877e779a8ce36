"""The outbox: every transaction is written here, signed, before it is sent, so that a crash cannot make it
two.

One SQLite file for each chain (id and genesis) and account, with write-ahead log and full synchronisation.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from ledger.chain.folders import private_folder
from ledger.domain.errors import ExitCode, LedgerError

#: Signed: on its way. Mined: a receipt was seen. Replaced: another transaction took its nonce. Cancelled: by
#: us.
SIGNED, MINED, REPLACED, CANCELLED = "signed", "mined", "replaced", "cancelled"

_SCHEMA = """
CREATE TABLE IF NOT EXISTS item (
    key TEXT NOT NULL, attempt INTEGER NOT NULL, nonce INTEGER NOT NULL, target TEXT, value TEXT NOT NULL,
    data BLOB NOT NULL, gas INTEGER NOT NULL, state TEXT NOT NULL, block INTEGER, block_hash BLOB,
    PRIMARY KEY (key, attempt)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS item_state ON item (state, nonce);
CREATE INDEX IF NOT EXISTS item_nonce ON item (nonce);
CREATE TABLE IF NOT EXISTS signature (
    hash BLOB PRIMARY KEY, key TEXT NOT NULL, attempt INTEGER NOT NULL, raw BLOB NOT NULL,
    max_fee TEXT NOT NULL, priority_fee TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS signature_item ON signature (key, attempt);
"""


@dataclass(frozen=True, slots=True)
class Signature:
    """One signed form of an item; a replacement at a higher fee is another."""

    hash: bytes
    raw: bytes
    max_fee: int
    priority_fee: int


@dataclass(slots=True)
class Item:
    """One transaction under its idempotency key. Another attempt needs the last one provably dead."""

    key: str
    attempt: int
    nonce: int
    to: str | None
    value: int
    data: bytes
    gas: int
    state: str = SIGNED
    block: int | None = None
    block_hash: bytes | None = None
    signatures: list[Signature] = field(default_factory=list)

    @property
    def newest(self) -> Signature:
        """The signed form with the highest fee."""
        return self.signatures[-1]


class Outbox:
    """The signed transactions of one account on one chain. Open it as a context manager: it holds the
    account's lock.
    """

    def __init__(self, folder: Path, chain_id: int, genesis: bytes, address: str) -> None:
        self.path = folder / "outbox" / f"{chain_id}-{genesis.hex()[:16]}" / f"{address}.sqlite"
        private_folder(self.path.parent)
        self._lock = FileLock(self.path.with_suffix(".lock"))
        self._address = address

    def __enter__(self) -> Outbox:
        try:
            self._lock.acquire(timeout=3)
        except Timeout:
            raise LedgerError(
                f"Another process is sending from {self._address}.",
                why="Two senders of one account would take each other's nonces.",
                remedy="Wait until it has finished, or send from another account. Nothing was sent.",
                exit_code=ExitCode.INCOMPLETE,
            ) from None
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self._lock.release()
            raise LedgerError(
                "The outbox cannot be read.",
                str(self.path),
                str(error),
                "Move the file away once you know that nothing is under way from this account.",
            ) from error
        return self

    def _open(self) -> None:
        self._base = sqlite3.connect(self.path, isolation_level=None, timeout=10)
        self._base.execute("PRAGMA journal_mode=WAL")
        self._base.execute("PRAGMA synchronous=FULL")
        self._base.executescript(_SCHEMA)

    def __exit__(self, *_: object) -> None:
        self._base.close()
        self._lock.release()

    @contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """Everything inside is on disk afterwards, or nothing of it."""
        try:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
            except BaseException:
                with suppress(sqlite3.Error):
                    self._base.execute("ROLLBACK")
                raise
            self._base.execute("COMMIT")
        except sqlite3.Error as error:
            raise LedgerError(
                "The outbox cannot be written.",
                str(self.path),
                str(error),
                "Make room and check who may write there, then run the same command again: nothing is done twice.",
                ExitCode.INCOMPLETE,
            ) from error

    def add(self, items: Sequence[Item]) -> None:
        """Stores new items with their signatures, all or none, before anything is sent."""
        with self._change() as base:
            base.executemany(
                "INSERT INTO item VALUES (?,?,?,?,?,?,?,?,?,?)",
                [
                    (
                        one.key,
                        one.attempt,
                        one.nonce,
                        one.to,
                        str(one.value),
                        one.data,
                        one.gas,
                        one.state,
                        None,
                        None,
                    )
                    for one in items
                ],
            )
            base.executemany(
                "INSERT INTO signature VALUES (?,?,?,?,?,?)",
                [row for one in items for row in _signature_rows(one)],
            )

    def add_signature(self, item: Item, signature: Signature) -> None:
        """Stores a replacement of an item: same nonce, higher fee."""
        added = replace(item, signatures=[signature])
        with self._change() as base:
            base.executemany("INSERT INTO signature VALUES (?,?,?,?,?,?)", _signature_rows(added))
        item.signatures.append(signature)

    def mark(self, items: Iterable[Item]) -> None:
        """Stores state and block of items."""
        with self._change() as base:
            base.executemany(
                "UPDATE item SET state=?, block=?, block_hash=? WHERE key=? AND attempt=?",
                [(one.state, one.block, one.block_hash, one.key, one.attempt) for one in items],
            )

    def under_way(self) -> list[Item]:
        """The items that are signed and not known to be mined, by nonce."""
        return self._items("state=? ORDER BY nonce", (SIGNED,))

    def mined_from(self, nonce: int) -> list[Item]:
        """The items that were mined with this nonce or a higher one."""
        return self._items("state=? AND nonce>=? ORDER BY nonce", (MINED, nonce))

    def next_nonce(self) -> int:
        """One above the highest nonce that was ever signed here; 0 for an empty outbox."""
        highest = self._base.execute("SELECT max(nonce) FROM item").fetchone()[0]
        return 0 if highest is None else int(highest) + 1

    def latest(self, keys: Sequence[str]) -> dict[str, Item]:
        """The last attempt under each key that is known."""
        found: dict[str, Item] = {}
        for start in range(0, len(keys), 500):
            part = keys[start : start + 500]
            marks = ",".join("?" * len(part))
            for item in self._items(f"key IN ({marks}) ORDER BY attempt", tuple(part)):
                found[item.key] = item
        return found

    def _items(self, where: str, values: tuple[object, ...]) -> list[Item]:
        items = []
        for row in self._base.execute(f"SELECT * FROM item WHERE {where}", values).fetchall():
            key, attempt, nonce, to, value, data, gas, state, block, block_hash = row
            item = Item(key, attempt, nonce, to, int(value), data, gas, state, block, block_hash)
            rows = self._base.execute(
                "SELECT hash, raw, max_fee, priority_fee FROM signature WHERE key=? AND attempt=?",
                (key, attempt),
            )
            held = [Signature(hash_, raw, int(fee), int(tip)) for hash_, raw, fee, tip in rows]
            item.signatures = sorted(held, key=lambda one: one.max_fee)
            items.append(item)
        return items


def _signature_rows(item: Item) -> list[tuple[object, ...]]:
    return [
        (one.hash, item.key, item.attempt, one.raw, str(one.max_fee), str(one.priority_fee))
        for one in item.signatures
    ]
