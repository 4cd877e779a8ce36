"""Follows a chain: each new block is verified upon the one before it, and what goes wrong is told at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from ledger.audit.findings import Finding, Verdict
from ledger.audit.scopes import Wanted
from ledger.audit.source import Source
from ledger.audit.verified.run import StoredAudit
from ledger.domain.errors import ExitCode, LedgerError, UnreachableError
from ledger.domain.headers import Header
from ledger.domain.rlp import Malformed

VERIFIED, FAILED, REPLACED, WAITING, BACK, STOPPED = (
    "verified",
    "failed",
    "replaced",
    "waiting",
    "back",
    "stopped",
)
#: Blocks that are taken one by one; a watch that is further behind leaps to the newest.
_ONE_BY_ONE = 16
#: Between attempts while the node is gone, seconds; doubled up to the last.
_PAUSES = (1.0, 30.0)


@dataclass(frozen=True, slots=True)
class Seen:
    """Something to tell. `entries`: those verified in all; `new`: of them in this step; `seconds`: how long it took."""

    kind: str
    block: int = 0
    hash: bytes = b""
    time: int = 0
    entries: int = 0
    new: int = 0
    words: int = 0
    seconds: float = 0.0
    what: str = ""
    findings: tuple[Finding, ...] = ()
    duties: int = 0

    def as_dict(self) -> dict[str, object]:
        """For `--json`."""
        return {
            "kind": self.kind,
            "block": self.block,
            "block_hash": self.hash or None,
            "time": self.time,
            "entries": self.entries,
            "new_entries": self.new,
            "words": self.words,
            "milliseconds": round(1000 * self.seconds),
            "what": self.what,
            "findings": [one.as_dict() for one in self.findings],
            "duties": self.duties,
        }


@dataclass(frozen=True, slots=True)
class Until:
    """When a watch ends: a block verified, so many seconds, or the first outcome. None of them: never by itself."""

    block: int | None = None
    seconds: float | None = None
    once: bool = False
    on_fail: bool = False


@dataclass
class Watch:
    """Use `events`. `interval`: seconds between looks at the newest block; `sleep` waits."""

    audits: StoredAudit
    wanted: Wanted
    genesis: bytes
    interval: float = 5.0
    until: Until = field(default_factory=Until)
    sleep: Callable[[float], None] = time.sleep
    blocks: int = 0
    failures: int = 0
    #: The newest verified block.
    block: int = 0
    #: Whether the newest outcome was bad.
    failing: bool = False

    def __post_init__(self) -> None:
        self._hash = b""
        self._told: set[tuple[str, str]] = set()
        self._away = 0
        self._end = time.monotonic() + self.until.seconds if self.until.seconds is not None else None

    @property
    def source(self) -> Source:
        """The node."""
        return self.audits.source

    def events(self) -> Iterator[Seen]:
        """What happens, until the watch ends. Raises LedgerError where it cannot go on."""
        while True:
            try:
                header = self._next()
                if self._away:
                    self._same_chain()
                    self._away = 0
                    yield Seen(
                        BACK, header.number, header.hash, header.timestamp, what="the node answers again"
                    )
                going_on = header.hash != self._hash
                if going_on:
                    yield from self._look(header)
                    if self._is_over(header):
                        return
                    going_on = header.hash == self._hash
            except UnreachableError as error:
                going_on = False
                if not self._away:
                    yield Seen(
                        WAITING, self.block, self._hash, what=" ".join((error.what, error.why)).strip()
                    )
                self._away += 1
            if self._end is not None and time.monotonic() >= self._end:
                return
            if not going_on:
                self._rest()

    def _next(self) -> Header:
        """The block to verify: the one after the last, or the newest."""
        try:
            newest = self.source.header(None)
            if newest is None:
                raise UnreachableError("The node has no newest block.")
            ahead = newest.number - self.block
            if self._hash and 1 < ahead <= _ONE_BY_ONE and not (self.failing or self.until.once):
                (newest,) = self.source.headers(self.block + 1, self.block + 1)
        except Malformed as error:
            raise UnreachableError("The node's answer makes no sense.", why=error.what) from error
        return newest

    def _same_chain(self) -> None:
        try:
            (first,) = self.source.headers(0, 0)
        except Malformed as error:
            raise UnreachableError("The node's answer makes no sense.", why=error.what) from error
        if first.hash != self.genesis:
            raise LedgerError(
                "The node that came back is on another chain.",
                why=f"Its first block is 0x{first.hash.hex()}, it was 0x{self.genesis.hex()}.",
                remedy="Start the node on the old chain, or watch the new one with another store.",
                exit_code=ExitCode.UNREACHABLE,
            )

    def _look(self, header: Header) -> Iterator[Seen]:
        began = time.perf_counter()
        verdict = self._audit(header)
        if self.audits.replaced is not None:
            yield Seen(
                REPLACED,
                self.audits.replaced,
                self._hash,
                what=f"block {self.audits.replaced} is no longer on the chain: "
                f"verified again from {self.audits.went_on_from}",
            )
        if verdict is None:
            return  # the block was replaced while it was looked at
        took = time.perf_counter() - began
        if verdict.passed:
            self.blocks += 1
            self.block, self._hash = header.number, header.hash
            self.failing = False
            self._told.clear()
        else:
            self.failures += not self.failing
            self.failing = True
        findings = tuple(one for one in verdict.findings if (one.check, one.where) not in self._told)
        if verdict.passed or findings:
            self._told |= {(one.check, one.where) for one in verdict.findings}
            yield Seen(
                VERIFIED if verdict.passed else FAILED,
                header.number,
                header.hash,
                header.timestamp,
                verdict.entries,
                verdict.entries - self.audits.base_entries,
                sum(one.compared for one in verdict.steps if one.expected),
                took,
                "" if verdict.passed else verdict.words,
                findings,
                len(verdict.duties),
            )

    def _audit(self, header: Header) -> Verdict | None:
        """The verdict on a block; None where the chain has another one meanwhile. What fails is tried twice."""
        wanted = Wanted(
            anchor=header.hash, transfers=self.wanted.transfers, first_block=self.wanted.first_block
        )
        self.audits.replaced = None
        verdict = self.audits.run(wanted)
        if not verdict.passed:
            verdict = self.audits.run(wanted)
        if not verdict.passed:
            try:
                if [one.hash for one in self.source.headers(header.number, header.number)] != [header.hash]:
                    return None
            except Malformed:
                return verdict
        return verdict

    def _is_over(self, header: Header) -> bool:
        until = self.until
        if self.failing and until.on_fail:
            return True
        if (
            until.block is not None
            and header.number >= until.block
            and (self.failing or self.block >= until.block)
        ):
            return True
        return until.once and (self.failing or self.block == header.number)

    def _rest(self) -> None:
        pause = self.interval
        if self._away:
            pause = max(pause, min(_PAUSES[0] * 2 ** (self._away - 1), _PAUSES[1]))
        if self._end is not None:
            pause = min(pause, max(0.0, self._end - time.monotonic()))
        self.sleep(pause)


def stopped(watch: Watch) -> Seen:
    """The last thing to tell."""
    many = f"{watch.blocks:,} {'block' if watch.blocks == 1 else 'blocks'} verified"
    what = f"{many}, the newest {watch.block}" if watch.blocks else "no block was verified"
    if watch.failures:
        what += f"; {watch.failures:,} {'time' if watch.failures == 1 else 'times'} something was wrong"
        what += ", and still is" if watch.failing else ", and was right again later"
    return Seen(STOPPED, watch.block, what=what, entries=watch.audits.entries)
