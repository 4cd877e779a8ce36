"""The books proved: every entry folded to the journals' heads, replayed, and every figure compared.

Without an anchor block the verdict says no more than that all that one node tells fits together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice

from ledger.domain.address import checksum_address
from ledger.domain.conservation import (
    AccountSum,
    Conservation,
    account_sums,
    conservations,
    liabilities,
    short_bonds,
)
from ledger.domain.errors import LedgerError
from ledger.operations import books as books_of
from ledger.operations.books import CONTRACTS, Books
from ledger.operations.plan import shown_amount
from ledger.operations.session import Session
from ledger.operations.verify_distributions import distribution_figures
from ledger.operations.verify_figures import Figure, differs, figures, payees_of

NO_ANCHOR = "internally consistent only: no anchor was given"
_AT_ONCE = 500

#: Hears of progress: stage, how much more is done, how much there is in all (0: not known).
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not match: which check, where (licence, split, payee), what, in which block."""

    check: str
    where: str
    what: str
    block: int

    def as_dict(self) -> dict[str, object]:
        """The finding as data for `--json`."""
        return {"check": self.check, "where": self.where, "what": self.what, "block": self.block}


@dataclass(frozen=True, slots=True)
class Check:
    """One kind of comparison: how many figures, and whether all agree."""

    name: str
    passed: bool
    compared: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class HeadCheck:
    """A journal: the head that the contract holds, and the fold of the entries that the node served."""

    contract: str
    entries: int
    held: bytes
    folded: bytes

    @property
    def passed(self) -> bool:
        """Whether they are the same."""
        return self.held == self.folded


@dataclass(frozen=True, slots=True)
class LineSum:
    """Σ lines and Y of one licence, base units."""

    licence: int
    token: str
    lines: int
    owed_in_all: int
    principal: int
    interest: int

    @property
    def holds(self) -> bool:
        """P-18: Σ lines = Y."""
        return self.lines == self.owed_in_all


@dataclass(frozen=True, slots=True)
class Solvency:
    """What Splits holds of a token, as the token tells it, and what it owes."""

    token: str
    held: int
    owed: int

    @property
    def holds(self) -> bool:
        """P-01."""
        return self.held >= self.owed


@dataclass
class Verdict:
    """The outcome. `block`: up to which everything was compared."""

    block: int
    time: int
    heads: tuple[HeadCheck, ...] = ()
    checks: list[Check] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    sums: tuple[Conservation, ...] = ()
    accounts: tuple[AccountSum, ...] = ()
    lines: tuple[LineSum, ...] = ()
    solvency: tuple[Solvency, ...] = ()
    unproved: int = 0

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def words(self) -> str:
        """The verdict in words."""
        return f"PASS ({NO_ANCHOR})" if self.passed else f"FAIL ({len(self.findings)} findings)"


def verify(session: Session, *, block: int | None = None, progress: Progress | None = None) -> Verdict:
    """Reads all entries up to `block` (default: the newest), folds, replays and compares. Raises UnreachableError.

    What does not match becomes a finding; nothing of that is raised.
    """
    tell = progress or (lambda stage, done, total: None)
    last = session.reader.head() if block is None else block
    seen = 0

    def reading(number: int) -> None:
        nonlocal seen
        tell("reading", number - seen, last)
        seen = number

    books = books_of.read(session, strict=False, block=last, progress=reading)
    verdict = Verdict(last, books.block_time)
    _heads(session, books, verdict)
    if books.failure is not None:
        log = books.failed_at
        verdict.findings.append(
            Finding(
                "replay",
                books.failure.where or "the journals",
                books.failure.what + (f" ({books.failure.why})" if books.failure.why else ""),
                log.block_number if log else last,
            )
        )
        verdict.checks.append(Check("replay", False, len(books.events), books.failure.what))
        # Past an entry that could not have happened the model has nothing to compare.
        return verdict
    verdict.checks.append(Check("replay", True, len(books.events), "every entry is what the model records"))
    _compare(session, books, verdict, tell)
    _sums(session, books, verdict)
    return verdict


def _heads(session: Session, books: Books, verdict: Verdict) -> None:
    held = session.reader.journal_heads(session.ledger.journal_addresses, block=hex(verdict.block))
    folded = _folded(session, books, verdict.block)
    heads = []
    for name in CONTRACTS:
        count, fold = folded[name]
        one = HeadCheck(name, count, held[name], fold)
        heads.append(one)
        if not one.passed:
            verdict.findings.append(
                Finding(
                    "journal",
                    f"{name} at {checksum_address(session.ledger.journal_addresses[name])}",
                    f"its head is 0x{one.held.hex()}, its {count:,} entries fold to 0x{fold.hex()}: "
                    "an entry is missing, invented or changed",
                    verdict.block,
                )
            )
    verdict.heads = tuple(heads)
    verdict.checks.append(
        Check("journal", all(one.passed for one in heads), sum(one.entries for one in heads))
    )


def _folded(session: Session, books: Books, block: int) -> dict[str, tuple[int, bytes]]:
    """Number and fold of each journal's entries, also those past the one at which a replay stopped."""
    if books.failed_at is None:
        return {name: (books.replay.counts[name], books.replay.heads[name]) for name in CONTRACTS}
    from ledger.domain.journal import fold_all
    from ledger.operations.tokens import book_of_deployments

    first = book_of_deployments(session).first_block()
    logs = session.reader.journals(session.ledger.journal_addresses, first, block)
    return {name: (len(held), fold_all(one.raw() for one in held)) for name, held in logs.items()}


def _compare(session: Session, books: Books, verdict: Verdict, tell: Progress) -> None:
    wanted = chain(figures(books, session.ledger), distribution_figures(books, session.ledger))
    counts: dict[str, list[int]] = {}
    # The number of figures is not known before they are listed, and the list may be long: batches.
    while part := list(islice(wanted, _AT_ONCE)):
        for figure, held in zip(part, _answers(session, part, verdict.block), strict=True):
            count = counts.setdefault(figure.check, [0, 0])
            count[0] += 1
            flaw = differs(figure, held)
            if flaw:
                count[1] += 1
                whom = payees_of(session, books, figure, held)
                what = flaw + (f" ({whom})" if whom else "")
                verdict.findings.append(Finding(figure.check, figure.where, what, verdict.block))
        tell("comparing", len(part), 0)
    verdict.checks += [Check(name, bad == 0, compared) for name, (compared, bad) in counts.items()]


def _answers(session: Session, part: Sequence[Figure], block: int) -> list[object]:
    calls = [(one.contract.address, one.contract.abi.function(one.function), one.arguments) for one in part]
    return session.reader.views(calls, block=hex(block))


def _sums(session: Session, books: Books, verdict: Verdict) -> None:
    verdict.unproved = len(books.replay.unproved)
    verdict.sums = tuple(conservations(books.splits))
    for one in verdict.sums:
        if not one.holds:
            token = session.ledger.token(one.token)
            verdict.findings.append(
                Finding(
                    "conservation",
                    f"split 0x{one.split_id.hex()}",
                    f"credited {shown_amount(token, one.credited)} is not paid {shown_amount(token, one.paid)} "
                    f"+ owed {shown_amount(token, one.owed)} + residue {one.residue}",
                    verdict.block,
                )
            )
    _account_sums(session, books, verdict)
    lines = []
    for number, grant in books.licences.grants.items():
        state = books.licences.states[number]
        owed = books.licences.owed_of(grant.terms, state.sum_a, state.sum_b)
        principal, interest = books.paid(number)
        one_sum = LineSum(number, grant.terms.token, sum(books.lines(number)), owed, principal, interest)
        lines.append(one_sum)
        if not one_sum.holds:
            token = session.ledger.token(grant.terms.token)
            verdict.findings.append(
                Finding(
                    "lines",
                    f"licence {number}",
                    f"its lines add up to {shown_amount(token, one_sum.lines)}, "
                    f"owed in all is {shown_amount(token, owed)}",
                    verdict.block,
                )
            )
    verdict.lines = tuple(lines)
    solvency = []
    for address, owed in liabilities(books.splits).items():
        token = session.ledger.token(address)
        try:
            held = token.balance(session.ledger.splits.address)
        except LedgerError as error:
            verdict.findings.append(
                Finding("solvency", f"token {checksum_address(address)}", error.what, verdict.block)
            )
            continue
        solvency.append(Solvency(address, held, owed))
        if held < owed:
            verdict.findings.append(
                Finding(
                    "solvency",
                    f"token {checksum_address(address)}",
                    f"Splits holds {shown_amount(token, held)} and owes {shown_amount(token, owed)}",
                    verdict.block,
                )
            )
    verdict.solvency = tuple(solvency)
    named = {one.check for one in verdict.findings}
    verdict.checks += [
        Check("conservation", "conservation" not in named, len(verdict.sums)),
        Check("lines", "lines" not in named, len(lines)),
        Check("solvency", "solvency" not in named, len(solvency), "balances as stated by the node"),
    ]


def _account_sums(session: Session, books: Books, verdict: Verdict) -> None:
    """P-02 for accounts: what arrived is what was moved and what waits; an open bond lies in its own."""
    verdict.accounts = tuple(account_sums(books.splits, books.distributions))
    found = []
    for one in verdict.accounts:
        if not one.holds:
            token = session.ledger.token(one.token)
            arrived, moved = shown_amount(token, one.funded), shown_amount(token, one.moved)
            waiting = shown_amount(token, one.waiting)
            what = f"{arrived} arrived in its account; {moved} moved + {waiting} waiting is not that"
            found.append(
                Finding("account sums", f"licence {one.licence}, period {one.period}", what, verdict.block)
            )
    for licence, period, number, bond in short_bonds(books.splits, books.distributions):
        where = f"licence {licence}, period {period}, round {number}"
        what = f"the bond of {bond:,} base units is not in its account"
        found.append(Finding("account sums", where, what, verdict.block))
    verdict.findings += found
    verdict.checks.append(Check("account sums", not found, len(verdict.accounts)))
