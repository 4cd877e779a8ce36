"""The numbers of docs/explain/how-money-flows.md, recomputed by the model: every row of every table."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from _pages import DOCS

from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.catalogue_book import Settings
from ledger.domain.chain_terms import ChainTerms, Offer
from ledger.domain.licence_types import Figures
from ledger.domain.licence_views import due_of
from ledger.domain.manifest_file import parse_manifest_csv
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.model import Ledger
from ledger.domain.money import parse_amount
from ledger.domain.royalty import NO_LIMIT, Tier
from ledger.domain.split_types import PagePayout, Run
from ledger.operations.times import parse_time

USD = 10**6
ANN, BOB = "0x" + "a1" * 20, "0x" + "b0" * 20
LICENSOR, LICENSEE, ARBITER, TOKEN = ("0x" + two * 20 for two in ("11", "22", "33", "44"))
TERMS = ChainTerms(
    document=b"\x01" * 32,
    works_root=b"\x02" * 32,
    catalogue=1,
    licensee=LICENSEE,
    token=TOKEN,
    scope=0b111,
    exclusive=0,
    start=parse_time("2026-01-01"),
    end=parse_time("2027-01-01"),
    transferable=False,
    upfront_fee=300 * USD,
    advance=True,
    tiers_over_life=False,
    deduction_cap_ppm=150_000,
    guarantee=50 * USD,
    cap=0,
    late_rate_ppm=80_000,
    grace_days=0,
    period_months=3,
    days_to_report=15,
    days_to_pay=30,
    cure_days=30,
    attribution_duty=1,
    distributions=ZERO_ADDRESS,
    model=bytes(32),
    attributor=ZERO_ADDRESS,
    tiers=(Tier(10_000 * USD, 100_000), Tier(NO_LIMIT, 80_000)),
)
MANIFEST = f"""\
work,holder,payee,share,right
harbour,Ann,{ANN},1/3,recording
harbour,Bob,{BOB},2/3,recording
winter,Ann,{ANN},1/1,recording
"""


def shown(units: int) -> str:
    """Base units as the page writes them: without decimals where there are none."""
    whole, rest = divmod(abs(units), USD)
    return ("-" if units < 0 else "") + f"{whole:,}" + (f".{rest:06}" if rest else "")


class Story:
    """The year of the page, step by step; `lines` and `credits` are the rows of its tables."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self.tree = MerkleSumTree.build(parse_manifest_csv(MANIFEST).units().entries)
        self.lines: list[tuple[str, ...]] = []
        self.credits: list[tuple[str, ...]] = []
        self.entitled: list[tuple[str, ...]] = []
        self.total = 0
        self.interest: list[tuple[str, ...]] = []
        self.ledger.splits.publish(LICENSOR, self.tree.split, [Run(0, self.tree.page_words(0), [])])
        windows = {"notice": 30 * 86_400, "dispute_window": 400 * 86_400, "arbiter_window": 30 * 86_400}
        self.ledger.catalogues.create(LICENSOR, Settings(b"\x02" * 32, b"\x03" * 32, ARBITER, **windows))
        self.ledger.catalogues.announce(LICENSOR, 1, self.tree.id, TERMS.start)
        self.ledger.licences.accept(LICENSEE, TERMS, Offer(0, TERMS.end), now=TERMS.start, signed=True)
        self.credited("upfront fee")

    def booked(self, name: str, entries: list, gross: int, deductions: int, now: int) -> None:
        entry = next(one for one in entries if one.name == "Booked")
        due = due_of(self.ledger.licences, 1, entry["period"], now=now)
        figures = (gross * USD, deductions * USD, entry["base"], due.royalty, due.owed_in_all, entry["line"])
        self.total += entry["line"]
        assert self.total == due.owed_in_all  # P-18
        self.lines.append((name, *map(shown, figures)))

    def report(self, period: int, gross: int, deductions: int, day: str) -> None:
        now = parse_time(day)
        entries = self.ledger.licences.report(
            LICENSEE, 1, Figures(period, gross * USD, deductions * USD), now=now
        )
        self.booked(f"quarter {period + 1}", entries, gross, deductions, now)

    def pay(self, name: str, period: int, day: str) -> None:
        state = self.ledger.licences.periods[1, period]
        late = (parse_time(day) - due_of(self.ledger.licences, 1, period, now=0).interest_from) // 86_400
        paid = self.ledger.licences.pay(
            LICENSEE,
            1,
            period,
            version=state.version,
            believed_open=state.open,
            amount=NO_LIMIT,
            now=parse_time(day),
        )
        if paid[0]["interest"]:
            self.interest.append((shown(paid[0]["principal"]), "8 %", str(late), shown(paid[0]["interest"])))
        self.credited(name)

    def credited(self, name: str) -> None:
        """Pays everybody, and notes who has what."""
        book, tree = self.ledger.splits, self.tree
        sum_ = book.cumulative(tree.id, TOKEN)
        before = parse_amount(self.credits[-1][2].replace(",", ""), 6) if self.credits else 0
        self.credits.append((name, shown(sum_ - before), shown(sum_)))
        if len(self.credits) % 2:  # neither always nor never: it makes no difference
            book.pay_pages(ANN, tree.split, TOKEN, [PagePayout(0, 0, tree.page_words(0), [])])
            for payee in (ANN, BOB):
                index = tree.index_of(payee)
                assert book.paid_to(tree.id, TOKEN, index) == book.entitled(tree.id, TOKEN, index)
        parts = [book.entitled(tree.id, TOKEN, tree.index_of(payee)) for payee in (ANN, BOB)]
        self.entitled.append(tuple(map(shown, (sum_, *parts, sum_ - sum(parts)))))


@pytest.fixture(scope="module")
def story() -> Story:
    told = Story()
    licences = told.ledger.licences
    told.report(0, 4_000, 400, "2026-04-05")
    told.pay("quarter 1", 0, "2026-04-05")
    told.report(1, 20_000, 4_000, "2026-07-05")
    told.pay("quarter 2, with interest", 1, "2026-08-30")
    told.report(2, 0, 0, "2026-10-05")
    told.pay("quarter 3", 2, "2026-10-05")
    now = parse_time("2026-10-06")
    figures = Figures(1, 21_000 * USD, 4_000 * USD, licences.periods[1, 1].version)
    told.booked("quarter 2, restated up", licences.restate(LICENSEE, 1, figures, now=now), 21_000, 4_000, now)
    told.pay("quarter 2, the increase, with interest", 1, "2026-10-06")
    figures = Figures(0, 3_500 * USD, 400 * USD, licences.periods[1, 0].version)
    licences.object(LICENSEE, 1, figures, now=now)
    settled = licences.settle(LICENSOR, 1, 0, accepted=True, now=now)
    told.booked("quarter 1, settled down", settled, 3_500, 400, now)
    told.report(3, 1_000, 0, "2027-01-05")
    told.pay("quarter 4, less the set-off", 3, "2027-01-05")
    return told


def tables() -> Iterator[list[tuple[str, ...]]]:
    """The rows of each table of the page, without its head."""
    text = (DOCS / "explain" / "how-money-flows.md").read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\|\n)+", text, re.MULTILINE):
        rows = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in table.splitlines()]
        yield rows[2:]


def test_the_split_is_two_units_and_one(story):
    assert sorted(units for _, units in story.tree.entries()) == [1, 2]
    assert dict(story.tree.entries())[ANN] == 2


def test_every_row_of_the_page_is_what_the_model_says(story):
    lines, interest, credited, entitled = tables()
    assert lines == story.lines
    assert interest == story.interest
    assert credited == story.credits
    assert entitled == story.entitled
