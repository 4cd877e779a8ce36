"""The year of the demonstration: twelve months of reports, and all that goes wrong in a real year."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from itertools import chain
from typing import Final

from ledger.chain.requests import Request, fresh_key
from ledger.demo import traffic
from ledger.demo.datasets import NAME_VARIANTS, payee_of
from ledger.demo.opening import CLAIMING, Opening
from ledger.demo.stage import ANYONE, ARBITER, DEVELOPER, HOLDER, LICENSOR, OPERATOR, SEARCHER, Stage, data
from ledger.domain.calendar import calendar_period
from ledger.domain.canonical import keccak256
from ledger.domain.split_types import Leaf
from ledger.operations import books, catalogues, payments, payouts, reports
from ledger.operations.books import Books
from ledger.operations.manifests import tree_of
from ledger.operations.report_files import COLUMNS, read_reports
from ledger.operations.report_plans import Rules

#: A rights holder whose address the token's issuer blocks for a while.
BLOCKED: Final = "University of Washington"
#: Deductions that the developers state, as a part of gross (an assumption).
DEDUCTIONS_PERCENT: Final = 4
#: The second developer's traffic is taken as this part of the trace (an assumption).
SEARCH_PERCENT: Final = 25
#: What every report says of itself.
NOTE: Final = "tokens of a real trace, an assumed price list"
#: Where that rights holder wants a claim to go.
NEW_ADDRESS: Final = payee_of("a new address of the claiming rights holder")


#: Days and what happens on them, in order.
Timetable = list[tuple[str, Callable[[], None]]]


def play(stage: Stage, *timetables: Timetable) -> None:
    """Plays timetables as one, day by day; on one day in the order in which they are given."""
    today = ""
    for day, step in sorted(chain.from_iterable(timetables), key=lambda one: one[0]):
        if day != today:
            stage.at(day)
            today = day
        step()


@dataclass
class Year:
    """What happens after the licences were granted. Each step is one method, told as it happens."""

    opening: Opening
    slices: tuple[traffic.Slice, ...] = field(init=False)
    passed_over: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.slices = traffic.read_trace(data("usage", "AzureLLMInferenceTrace_conv.csv"))
        self.stage = self.opening.stage
        self.money = self.opening.money

    def timetable(self) -> Timetable:
        """The year, from the first report to the last payout."""
        hybrid, share = self.opening.hybrid, self.opening.share
        return [
            ("2025-10-05", lambda: self.report(DEVELOPER, hybrid, [0, 1, 2])),
            ("2025-10-05", lambda: self.report(SEARCHER, share, [0])),
            ("2025-10-05", lambda: self.block(BLOCKED, True)),
            ("2025-10-05", self.pay_out),
            ("2025-10-20", lambda: self.restate_up(hybrid, 1, percent=5)),
            ("2025-12-10", self.announce),
            ("2026-01-05", lambda: self.report(DEVELOPER, hybrid, [3, 4])),
            ("2026-01-05", lambda: self.report(SEARCHER, share, [1])),
            ("2026-04-05", lambda: self.report(SEARCHER, share, [2])),
            ("2026-04-20", lambda: self.report(DEVELOPER, hybrid, [5, 6, 7, 8])),
            ("2026-04-25", lambda: self.dispute_down(hybrid, 7, percent=15)),
            ("2026-04-25", self.claim_elsewhere),
            ("2026-04-25", self.pay_out),
            ("2026-08-01", lambda: self.book_missing(hybrid)),
            ("2026-08-05", lambda: self.restate_up(hybrid, 9, percent=0)),
            ("2026-08-05", lambda: self.report(DEVELOPER, hybrid, [10, 11])),
            ("2026-08-05", lambda: self.report(SEARCHER, share, [3])),
            ("2026-08-05", lambda: self.block(BLOCKED, False)),
            ("2026-08-05", lambda: self.pay_out(retry=True)),
        ]

    # ---- reports

    def gross(self, licence: int, period: int) -> Decimal:
        """Gross revenue of a period in dollars, by the trace and the price list."""
        if licence == self.opening.hybrid:
            return self.slices[period].gross
        months = self.slices[3 * period : 3 * period + 3]
        whole = sum((one.gross for one in months), Decimal(0))
        percent = 100 if licence == self.opening.pool else SEARCH_PERCENT
        return (whole * percent / 100).quantize(Decimal("0.01"), rounding="ROUND_DOWN")

    def report(self, account: str, licence: int, periods: list[int]) -> None:
        """Reports periods out of a CSV and pays them at once."""
        session = self.stage.session(account)
        content = self.csv_of(licence, [(one, self.gross(licence, one)) for one in periods])
        rows, findings = read_reports(content, "demonstration.csv")
        with session.sender() as sender:
            made = reports.import_reports(
                session, sender, rows, rules=Rules(pay_now=True), findings=findings, where="demonstration.csv"
            )
        held = self.books()
        for one in made.plan.new:
            number = one.figures.period
            principal, interest = held.paid(licence, number)
            late = f", {self.money.show(interest)} of interest since it was late" if interest else ""
            self.stage.say(
                f"Licence {licence}, period {number}: gross {self.money.show(one.figures.gross)}, "
                f"line {self.money.show(one.line)}, paid {self.money.show(principal + interest)}{late}."
            )

    def csv_of(self, licence: int, grosses: list[tuple[int, Decimal]]) -> bytes:
        """A CSV of reports, as a developer would write it: periods with their gross revenue in dollars."""
        text = io.StringIO()
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(COLUMNS)
        chain_id = self.stage.session(OPERATOR).rpc.chain_id
        terms = self.books().licences.grants[licence].terms
        for period, gross in grosses:
            start, end = calendar_period(terms.start, terms.period_months, period)
            cut = (gross * DEDUCTIONS_PERCENT / 100).quantize(Decimal("0.01"), rounding="ROUND_DOWN")
            kinds, amounts = ("refunds", cut) if terms.deduction_cap_ppm else ("", "")
            period_of = (chain_id, licence, _date(start), _date(end - 1), "USD", gross)
            rows.writerow((*period_of, kinds, amounts, self.money.symbol, "1", "assumption", NOTE))
        return text.getvalue().encode()

    def books(self) -> Books:
        """Everything that the chain tells, replayed."""
        return books.read(self.stage.session(OPERATOR))

    def restate_up(self, licence: int, period: int, *, percent: int, account: str = DEVELOPER) -> None:
        """A developer found more revenue (for a period booked at zero: all of it), restates and pays."""
        session, held = self.stage.session(account), self.books()
        gross = (self.gross(licence, period) * (100 + percent) / 100).quantize(Decimal("0.01"))
        rows, _ = read_reports(self.csv_of(licence, [(period, gross)]), "restatement.csv")
        made = reports.plan_restate(session, held, rows[0], period, sender=session.address())
        session.files.put(made.file)
        self.stage.send(account, made.plan.requests)
        paid = payments.plan_pay(session, self.books(), licence, payer=session.address(), period=period)
        self.stage.send(account, paid.plan.requests)
        principal, interest = self.books().paid(licence, period)
        self.stage.say(
            f"Licence {licence}, period {period} restated up to {self.money.show(made.figures.gross)}: line "
            f"{self.money.show(made.line)}; paid for the period {self.money.show(principal)}"
            + (f" and {self.money.show(interest)} of interest." if interest else ".")
        )

    def dispute_down(self, licence: int, period: int, *, percent: int) -> None:
        """The developer says that it reported too much; the licensor is silent; the arbiter agrees."""
        session, held = self.stage.session(DEVELOPER), self.books()
        gross = (self.gross(licence, period) * (100 - percent) / 100).quantize(Decimal("0.01"))
        rows, _ = read_reports(self.csv_of(licence, [(period, gross)]), "objection.csv")
        made = reports.other_figures(session, held, rows[0], period, sender=session.address())
        session.files.put(made.file)
        terms, contract = held.licences.grants[licence].terms.encode(), self.stage.ledger.licences
        self.stage.send(DEVELOPER, contract.object(licence, terms, made.figures))
        self.stage.send(DEVELOPER, contract.act("callArbiter", licence, terms, period))
        self.stage.send(ARBITER, contract.settle(licence, terms, period, True, occasion="arbiter"))
        self.stage.say(
            f"Licence {licence}, period {period} disputed and settled down by the arbiter: line "
            f"{self.money.show(made.line)}, kept as set-off against later lines."
        )

    def book_missing(self, licence: int) -> None:
        """A report never came: the licensor books the period at zero, and the guarantee is due."""
        session, held = self.stage.session(LICENSOR), self.books()
        plan = reports.plan_book_missing(session, held, licence, sender=session.address(), until=9)
        self.stage.send(LICENSOR, plan.requests)
        for one in plan.effects:
            self.stage.say(f"The licensor books {one.what}: {one.to} (the minimum guarantee).")

    # ---- splits and payouts

    def announce(self) -> None:
        """The licensor matched names: a new manifest, and a new split after the notice."""
        matched = {name: group[0] for group in NAME_VARIANTS for name in group}
        manifest = self.opening.manifest_of(matched)
        session = self.stage.session(LICENSOR)
        with session.sender() as sender:
            made = catalogues.announce(
                session, sender, self.opening.catalogue, manifest, tree_of(manifest), uri=""
            )
        self.stage.say(
            f"{', '.join(group[0] for group in NAME_VARIANTS)} are matched: a new split of {made.tree.leaves} "
            f"payees, for periods that start from {_date(made.effective)} on."
        )

    def block(self, name: str, blocked: bool) -> None:
        """The token's issuer blocks an address, or lets it go."""
        abi_data = keccak256(b"setBlocked(address,bool)")[:4] + bytes(12) + bytes.fromhex(payee_of(name)[2:])
        abi_data += int(blocked).to_bytes(32, "big")
        request = Request(fresh_key("block"), self.money.token.address, abi_data, note=f"block {name}")
        self.stage.send(OPERATOR, request)
        self.stage.say(f"The token's issuer {'blocks' if blocked else 'no longer blocks'} {name}.")

    def pay_out(self, *, retry: bool = False) -> None:
        """Anyone has Splits pay all that is owed, page by page."""
        session, held = self.stage.session(ANYONE), self.books()
        plan = payouts.plan_payout(
            session, held, payouts.sums_of(held), sender=session.address(), retry=None if retry else ()
        )
        with session.sender() as sender:
            done = payouts.pay_out(session, sender, held, plan)
        paid = sum(done.paid.values())
        self.stage.say(
            f"Paid out {self.money.show(paid)} to {done.payees} leaves in {plan.pages} pages"
            + (f"; passed over: {len(done.passed_over)}." if done.passed_over else ".")
        )

    def claim_elsewhere(self) -> None:
        """A rights holder claims what it is owed to an address of its choice."""
        session, held = self.stage.session(HOLDER), self.books()
        own = session.address()
        token = self.money.token.address
        leaves: list[Leaf] = []
        for one in payouts.sums_of(held, payee=own):
            tree = payouts.tree_from(held, one.split_id)
            leaves += [
                Leaf(tree.split, token, item.index, tree.leaf(item.index), tree.leaf_proof(item.index))
                for item in one.owed
            ]
        request = self.stage.ledger.splits.claim_to(leaves, NEW_ADDRESS, occasion="demonstration")
        self.stage.send(HOLDER, request)
        paid = self.money.token.balance(NEW_ADDRESS)
        self.stage.say(f"{CLAIMING} claims {self.money.show(paid)} to a new address of its own.")


def _date(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%d")
