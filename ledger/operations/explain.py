"""Why a payee got what it got: each credit's way from gross revenue, or a fee, to its part, and each payout."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.chain.tokens import Token
from ledger.domain.address import checksum_address
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.journal import Entry
from ledger.domain.licence_views import due_of
from ledger.domain.royalty import NO_LIMIT, PPM
from ledger.operations.books import Books
from ledger.operations.plan import shown_amount
from ledger.operations.report_files import period_words
from ledger.operations.session import Session
from ledger.operations.splits import short
from ledger.report.history import BY_PAGE, LeafHistory, Paid, Placed, history_of
from ledger.report.origins import Accounts, Booking, cuts_of, place_of

_KINDS = {1: "reported", 2: "booked at zero, the report missing", 3: "restated", 4: "settled after a dispute"}
#: How a round of a distribution ended.
OUTCOMES = {
    1: "nobody objected",
    2: "the arbiter chose what was posted",
    3: "the arbiter chose the counter-split",
    4: "the arbiter chose the fallback",
    5: "the arbiter was silent, so the fallback came",
    6: "nothing was posted in time, so the fallback came",
    7: "what was held was released",
}

#: Outcomes by which a split went through that somebody had made for this money: posted, or as the counter-split.
_AS_ASKED, _COUNTER = (1, 2, 3), 3


@dataclass(frozen=True, slots=True)
class Step:
    """One figure on the way, and what it is; `units` of the token, None where `text` says it all."""

    what: str
    text: str
    units: int | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """One credit: where it came from, step by step, and the payee's part of it in base units."""

    licence: int | None
    period: int | None
    token: str
    split_id: bytes
    units: int
    total: int
    time: int
    transaction: bytes
    credited: int
    part: int
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """A payee's credits, and all payouts and sums of the leaves that they went to, of each split and token."""

    payee: str
    credits: tuple[Explained, ...]
    payouts: tuple[tuple[str, bytes, Paid], ...]
    leaves: tuple[LeafHistory, ...]


def explain(
    session: Session, books: Books, payee: str, *, licence: int | None = None, period: int | None = None
) -> Explanation:
    """Everything that a payee earned, or what came from one licence or period. Raises ValueRefused."""
    leaves = history_of(books.events, payee)
    if not leaves:
        raise ValueRefused(
            f"{checksum_address(payee)} is a payee of no split that was ever credited.",
            remedy="See the payees of a catalogue: `licence-ledger catalogue show NUMBER --payees`.",
        )
    accounts = Accounts(books)
    shown = [
        one
        for leaf in leaves
        for one in _explained(session, books, accounts, leaf)
        if licence in (None, one.licence) and period in (None, one.period)
    ]
    if not shown:
        raise ValueRefused(
            f"Nothing that {checksum_address(payee)} earned came from there.",
            remedy=f"See all of it: `licence-ledger explain {checksum_address(payee)}`.",
        )
    named = {(one.token, one.split_id) for one in shown}
    leaves = [leaf for leaf in leaves if (leaf.token, leaf.split_id) in named]
    payouts = [(leaf.token, leaf.split_id, one) for leaf in leaves for one in leaf.paid]
    payouts.sort(key=lambda row: (row[2].event.block, row[2].event.log_index))
    shown.sort(key=lambda one: (one.time, one.licence or 0, one.period or 0))
    return Explanation(payee, tuple(shown), tuple(payouts), tuple(leaves))


def _explained(session: Session, books: Books, accounts: Accounts, leaf: LeafHistory) -> list[Explained]:
    """The leaf's credits, each cut where one transfer paid several reports."""
    token = session.ledger.token(leaf.token)
    found = []
    for cut in cuts_of(leaf, books.licences.address):
        cause, amount = cut.cause, cut.amount
        licence = period = None
        steps: list[Step] = []
        if cause is None:
            steps.append(Step("credited", f"by {checksum_address(cut.credit.entry.caller)}", amount))
        else:
            entry = cause.entry
            licence, period = entry.number, entry.args.get("period")
            if cause.contract == "Distributions":
                steps += _distributed(books, accounts, token, cause, amount)
            elif entry.name == "Accepted":
                steps.append(
                    Step("upfront fee", f"paid at the acceptance of licence {licence}", entry["fee"])
                )
            else:
                steps += _booked(books, accounts, token, cause)
        words = f"{short(leaf.split_id)}, after {shown_amount(token, cut.before)} before"
        steps.append(Step("credited to the split", words, amount))
        words = f"{leaf.units:,} of {leaf.total:,} units of all credits, rounded down, less the same before"
        steps.append(Step("your part", words, cut.part))
        found.append(
            Explained(
                licence,
                period,
                leaf.token,
                leaf.split_id,
                leaf.units,
                leaf.total,
                cut.credit.time,
                cut.credit.transaction,
                amount,
                cut.part,
                tuple(steps),
            )
        )
    return found


def _booked(books: Books, accounts: Accounts, token: Token, cause: Placed) -> list[Step]:
    """From gross revenue to the line, as it stood when it was booked; and what of it was paid."""
    steps: list[Step] = []
    entry = cause.entry
    booked = accounts.of(entry.number).last_booking(entry["period"], place_of(cause))
    if booked is not None:
        steps += _line(books, token, booked)
    if entry.name == "Paid":
        if entry["interest"]:
            steps.append(Step("late interest", "paid with it", entry["interest"]))
        steps.append(Step("paid", "principal of the line", entry["principal"]))
    else:
        if entry["setOff"]:
            steps.append(Step("set off", "overpaid before, so not paid again", -entry["setOff"]))
        steps.append(Step("paid", "at once, with the report", entry["paid"]))
    return steps


def _line(books: Books, token: Token, booked: Booking) -> list[Step]:
    licence, entry = booked.licence, booked.event.entry
    terms, period = books.licences.grants[licence].terms, booked.period
    due = due_of(books.licences, licence, period, now=booked.event.time)
    days = period_words(due.start, due.end)
    steps = [Step("period", f"{period} of licence {licence}, {days}, {_KINDS[booked.kind]}")]
    if booked.gross is not None:
        steps.append(Step("gross revenue", "as reported", booked.gross))
        cap = f"deductions, at most {terms.deduction_cap_ppm / 10_000:g} % of gross"
        steps.append(Step("deducted", cap, booked.base - booked.gross))
        if booked.asked is not None and booked.gross - booked.base != booked.asked:
            steps.append(Step("deductions asked for", "cut to the cap", -booked.asked))
    steps.append(Step("net revenue", "what the rates apply to", booked.base))
    steps += _royalty(token, terms, booked)
    steps.append(Step("line", "owed in all after this booking, less before", entry["line"]))
    return steps


def _royalty(token: Token, terms: ChainTerms, booked: Booking) -> list[Step]:
    """Tiers, guarantee, recoupment and cap, over the bases that stood after this booking."""
    steps = []
    for lower, tier, part in booked.tiers:
        if part:
            above = f"above {shown_amount(token, lower)}" if lower else ""
            to = f"up to {shown_amount(token, tier.up_to)}" if tier.up_to < NO_LIMIT else "without limit"
            words = f"{tier.rate_ppm / 10_000:g} % of net revenue {above} {to}".replace("  ", " ")
            steps.append(
                Step("tier", words + (", over the life" if terms.tiers_over_life else ""), part // PPM)
            )
    if booked.top_up:
        steps.append(Step("guarantee", "tops the royalty up to the minimum", booked.top_up))
    if terms.advance_amount:
        words = f"of an advance of {shown_amount(token, terms.advance_amount)}, by all royalties so far"
        steps.append(Step("recouped", words, -booked.recouped))
    if terms.cap and booked.owed == terms.cap:
        steps.append(Step("cap", "the most that the terms allow is reached", terms.cap))
    steps.append(Step("owed in all", "royalties of all periods so far, less what is recouped", booked.owed))
    return steps


def _distributed(books: Books, accounts: Accounts, token: Token, cause: Placed, amount: int) -> list[Step]:
    """From the reports that had been booked by then to what the round moved."""
    entry = cause.entry
    licence, period = entry.number, entry["period"]
    if entry.name == "BondMoved":
        return [
            Step("period", f"{period} of licence {licence}"),
            Step("bond", "back to you" if entry["upheld"] else "lost by an objector", amount),
        ]
    steps = []
    for booked in accounts.of(licence).of_period(period, place_of(cause)):
        steps += _line(books, token, booked)
    settled = _of_round(books, cause, "Settled")
    posted = _of_round(books, cause, "Posted")
    if settled and posted and settled["outcome"] in _AS_ASKED:
        # A counter-split comes without files; what was posted names its own.
        words = f"round {entry['round']}, as a payee asked for it in an objection"
        if settled["outcome"] != _COUNTER:
            files = f"usage file {short(posted['usageHash'])} and rule {short(posted['ruleHash'])}"
            words = f"round {entry['round']}, by {files}"
        steps.append(Step("distribution", words, settled["amount"]))
        if held := settled["amount"] - settled["total"]:
            steps.append(Step("held", "for works and holders without a payee", -held))
    if entry.name == "Settled":
        steps.append(Step("settled", OUTCOMES[entry["outcome"]], amount))
    else:
        steps.append(Step("late money", "in the same proportions", amount))
    return steps


def _of_round(books: Books, cause: Placed, name: str) -> Entry | None:
    """The last entry of this name of the cause's round, up to the cause itself."""
    wanted = (cause.entry.number, cause.entry["period"], cause.entry["round"])
    found = None
    for one in books.events:
        if (one.block, one.log_index) > (cause.block, cause.log_index):
            break
        if one.contract == "Distributions" and one.name == name:
            entry = one.entry
            if (entry.number, entry["period"], entry["round"]) == wanted:
                found = entry
    return found


def by_token(session: Session, found: Explanation) -> list[tuple[Token, int, int, int]]:
    """For each token: earned, paid and owed of all the payee's leaves, in base units."""
    sums: dict[str, list[int]] = {}
    for leaf in found.leaves:
        held = sums.setdefault(leaf.token, [0, 0, 0])
        held[0] += leaf.earned_in_all
        held[1] += leaf.paid_in_all
        held[2] += leaf.owed
    return [(session.ledger.token(token), *three) for token, three in sums.items()]  # type: ignore[misc]


def payout_words(one: Paid) -> str:
    """How a payout was made."""
    return "by page" if one.how == BY_PAGE else f"by claim, to {checksum_address(one.to)}"


def note_of(session: Session, sums: Sequence[int]) -> str:
    """The sums of a check: earned = paid + owed."""
    earned, paid, owed = sums
    if earned != paid + owed:
        raise LedgerError(f"Earned {earned} is not paid {paid} and owed {owed}.", session.rpc.shown)
    return "earned = paid + owed"
