"""What an audit says: steps with the hashes compared, findings that name whom and how much, duties not met."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.domain.conservation import Conservation

NO_ANCHOR = "internally consistent only: no anchor was given"
PASS, FAIL, NOTE = "PASS", "FAIL", "NOTE"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be. `entry`: its number in its contract's journal, from 0, and its name.

    Amounts are base units of `token`; what is not known, or not concerned, is None.
    """

    check: str
    where: str
    what: str
    block: int
    licence: int | None = None
    period: int | None = None
    split: bytes | None = None
    token: str | None = None
    payee: str | None = None
    amount: int | None = None
    entry: str | None = None

    def as_dict(self) -> dict[str, object]:
        """The finding as data for `--json`; amounts as strings."""
        return {
            "check": self.check,
            "where": self.where,
            "what": self.what,
            "block": self.block,
            "licence": self.licence,
            "period": self.period,
            "split": self.split,
            "token": self.token,
            "payee": self.payee,
            "amount": None if self.amount is None else str(self.amount),
            "entry": self.entry,
        }


@dataclass(frozen=True, slots=True)
class Missing:
    """A file that the chain names by its hash and that nobody gave: what it would show is not covered."""

    kind: str
    hash: bytes
    where: str
    why: str
    licence: int | None = None
    period: int | None = None

    def as_dict(self) -> dict[str, object]:
        """The gap as data for `--json`."""
        return {
            "kind": self.kind,
            "hash": self.hash,
            "where": self.where,
            "why": self.why,
            "licence": self.licence,
            "period": self.period,
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what should be, and what was proved, as hashes where the step compares such.

    `status` is PASS or FAIL; NOTE where the step states facts about the parties, or rests on the node's word.
    """

    name: str
    status: str
    compared: int
    expected: str = ""
    found: str = ""
    detail: str = ""

    def as_dict(self) -> dict[str, object]:
        """The step as data for `--json`."""
        return {
            "name": self.name,
            "status": self.status,
            "compared": self.compared,
            "expected": self.expected,
            "found": self.found,
            "detail": self.detail,
        }


@dataclass(frozen=True, slots=True)
class Duty:
    """Something that a party owes and has not done, or did late. `since`: when it was due, Unix seconds.

    `who`: the party's address; None where anyone may act.
    """

    kind: str
    where: str
    what: str
    since: int
    licence: int | None = None
    period: int | None = None
    split: bytes | None = None
    token: str | None = None
    amount: int | None = None
    who: str | None = None

    def as_dict(self) -> dict[str, object]:
        """The duty as data for `--json`; amounts as strings."""
        return {
            "kind": self.kind,
            "where": self.where,
            "what": self.what,
            "since": self.since,
            "licence": self.licence,
            "period": self.period,
            "split": self.split,
            "token": self.token,
            "amount": None if self.amount is None else str(self.amount),
            "who": self.who,
        }


@dataclass(frozen=True, slots=True)
class Solvency:
    """What Splits holds of a token and what it owes, base units. `source`: how what it holds is known."""

    token: str
    held: int
    owed: int
    source: str
    proved: bool

    @property
    def holds(self) -> bool:
        """P-01."""
        return self.held >= self.owed


@dataclass(frozen=True, slots=True)
class Holding:
    """One leaf of a holder, in one token, base units: entitled = paid + owed."""

    split: bytes
    token: str
    leaf: int
    units: int
    total: int
    credited: int
    entitled: int
    paid: int

    @property
    def owed(self) -> int:
        """What a claim would pay now."""
        return self.entitled - self.paid


@dataclass(frozen=True, slots=True)
class BookedPeriod:
    """A period of a licence that pays a holder's splits, as it is stored: base and open principal, base units."""

    licence: int
    period: int
    base: int
    open: int
    version: int


@dataclass
class Verdict:
    """The outcome. `block`: the anchor's number; all is proved as of that block."""

    chain_id: int
    anchored: bool
    block: int = 0
    time: int = 0
    block_hash: bytes = b""
    scope: str = "the whole ledger"
    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    missing: list[Missing] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)
    sums: list[Conservation] = field(default_factory=list)
    solvency: list[Solvency] = field(default_factory=list)
    holdings: list[Holding] = field(default_factory=list)
    periods: list[BookedPeriod] = field(default_factory=list)
    entries: int = 0

    @property
    def passed(self) -> bool:
        """Whether no step failed."""
        return not self.findings and all(one.status != FAIL for one in self.steps)

    @property
    def trust(self) -> str:
        """What the verdict rests on."""
        return f"anchored at block {self.block}" if self.anchored else NO_ANCHOR

    @property
    def words(self) -> str:
        """The verdict in words."""
        if not self.passed:
            many = len(self.findings)
            return f"FAIL ({many:,} {'finding' if many == 1 else 'findings'})"
        many = len(self.missing)
        gap = f", NOT COVERED: {many:,} {'file is' if many == 1 else 'files are'} missing" if many else ""
        return f"PASS ({self.trust}){gap}"

    def step(
        self, name: str, passed: bool, compared: int, *, expected: str = "", found: str = "", detail: str = ""
    ) -> None:
        """Appends a step."""
        self.steps.append(Step(name, PASS if passed else FAIL, compared, expected, found, detail))

    def note(self, name: str, compared: int, detail: str) -> None:
        """Appends a step that states facts."""
        self.steps.append(Step(name, NOTE, compared, detail=detail))
