"""A deal as its folder tells it: terms, manifest, a year of reports, usage, and the payouts worked out by hand."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from ledger.domain.allocation import HolderShare, Outcome, UsageLine, allocate
from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS, keccak256
from ledger.domain.catalogue_book import Settings
from ledger.domain.chain_terms import ChainTerms, Offer
from ledger.domain.licence_types import Figures
from ledger.domain.manifest import Manifest
from ledger.domain.manifest_file import parse_manifest_csv
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.model import Ledger
from ledger.domain.money import parse_amount
from ledger.domain.split_types import Run
from ledger.domain.terms import TermsDocument, parse_terms
from ledger.operations.report_files import ReportRow, read_reports

HERE = Path(__file__).parent
NAMES = sorted(path.parent.name for path in HERE.glob("*/terms.yaml"))
LICENSOR, LICENSEE, ARBITER = ("0x" + f"{number:040x}" for number in (0xA1, 0xB1, 0xC1))
#: Before the first period of any deal.
ACCEPTED = int(datetime(2025, 12, 1, tzinfo=UTC).timestamp())
HELD = "held"


def _csv(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


@dataclass(frozen=True)
class Deal:
    """One folder."""

    name: str

    @property
    def folder(self) -> Path:
        return HERE / self.name

    @cached_property
    def document(self) -> TermsDocument:
        return parse_terms((self.folder / "terms.yaml").read_text())

    @property
    def terms(self) -> ChainTerms:
        return self.document.chain_terms(6)

    @cached_property
    def manifest(self) -> Manifest:
        return parse_manifest_csv((self.folder / "manifest.csv").read_text())

    @cached_property
    def reports(self) -> list[ReportRow]:
        rows, findings = read_reports((self.folder / "reports.csv").read_bytes(), self.name)
        findings.raise_if_any("The reports were refused")
        return rows

    @property
    def figures(self) -> list[Figures]:
        return [
            Figures(period, self.units(row.gross), sum(self.units(amount) for _, amount in row.deductions))
            for period, row in enumerate(self.reports)
        ]

    @property
    def reported_at(self) -> list[int]:
        """A day after the end of each period."""
        return [(row.end or 0) + 2 * DAY for row in self.reports]

    @cached_property
    def expected(self) -> list[dict[str, str]]:
        return _csv(self.folder / "expected.csv")

    def expect(self, period: object) -> dict[str, int]:
        """What the hand calculation gives for a period, `fee`, or `all` periods: units by name."""
        return {
            row["what"]: self.units(row["amount"]) for row in self.expected if row["period"] == str(period)
        }

    @property
    def holders(self) -> dict[str, str]:
        """Names of the payees' holders."""
        return {
            share.payee: share.holder for work in self.manifest.works for share in work.shares if share.payee
        }

    def units(self, text: str) -> int:
        return parse_amount(text, self.document.money.decimals)

    # ---- allocation

    @property
    def shares(self) -> list[HolderShare]:
        """The manifest as the allocation takes it; a work's size is its weight."""
        return [
            HolderShare(
                work.id,
                share.holder,
                share.ppm,
                bytes.fromhex(share.payee[2:]) if share.payee else None,
                share.right_type,
                int(work.weight),
            )
            for work in self.manifest.works
            for share in work.shares
        ]

    def usage(self, period: int) -> list[UsageLine]:
        path = self.folder / "usage.csv"

        def number(text: str) -> int | None:
            return int(text) if text else None

        return [
            UsageLine(
                row["Work"],
                int(row["Usages"]),
                None,
                number(row["AttributionWeightPpm"]),
                number(row["AttributionConfidenceBps"]),
                number(row["OutputCount"]),
            )
            for row in (_csv(path) if path.exists() else [])
            if int(row["Period"]) == period
        ]

    def allocated(self, period: int, amount: int) -> Outcome:
        rule = AllocationRule.from_terms(self.document, self.manifest.right_weights)
        return allocate(self.usage(period), self.shares, rule, amount)


class Played:
    """A deal played on the model: accepted before its first period, each period reported and paid in time."""

    def __init__(self, deal: Deal) -> None:
        self.deal, self.terms = deal, deal.terms
        self.ledger = Ledger()
        self.tree = publish(self.ledger, deal.manifest.units().entries)
        works = deal.manifest.works_root
        self.ledger.catalogues.create(LICENSOR, Settings(works, keccak256(b"file"), ARBITER, DAY, DAY, DAY))
        self.ledger.catalogues.announce(LICENSOR, 1, self.tree.id, ACCEPTED - DAY)
        licences = self.ledger.licences
        licences.accept(LICENSEE, self.terms, Offer(1, ACCEPTED), now=ACCEPTED, signed=True)
        self.fee = self.paid()
        self.lines = []
        for figures, now in zip(deal.figures, deal.reported_at, strict=True):
            entries = licences.report(LICENSEE, 1, figures, now=now, pay_now=True)
            (line,) = (one["line"] for one in entries if one.name == "Booked")
            self.lines.append(line)

    def paid(self, tree: MerkleSumTree | None = None) -> dict[str, int]:
        """What each payee of a split has a claim to, by holder."""
        tree, splits = tree or self.tree, self.ledger.splits
        found: dict[str, int] = defaultdict(int)
        for index, (payee, _) in enumerate(tree.entries()):
            found[self.deal.holders[payee]] += splits.entitled(tree.id, self.terms.token, index)
        return {holder: units for holder, units in found.items() if units}

    def settle(self, period: int) -> dict[str, int]:
        """Divides a weighted period's account and moves it into the split of base units; `held` stays."""
        splits, licences = self.ledger.splits, self.ledger.licences
        salt, controller = licences.salt_of(1, period), self.terms.distributions
        assert controller != ZERO_ADDRESS
        funded = [one for one in self.ledger.pulled if one.name == "AccountFunded"]
        (account,) = (one.id for one in funded if one["salt"] == salt)
        amount = splits.account_balance(account, self.terms.token)
        outcome = self.deal.allocated(period, amount)
        units = [("0x" + payee.hex(), units) for payee, units in outcome.units.items()]
        tree = publish(self.ledger, units)
        # Equal units make the same split: what it got in an earlier period is not this one's.
        before = self.paid(tree)
        splits.move_account(controller, salt, self.terms.token, tree.id, amount - outcome.held)
        assert splits.account_balance(account, self.terms.token) == outcome.held
        paid = {name: units - before.get(name, 0) for name, units in self.paid(tree).items()}
        return paid | ({HELD: outcome.held} if outcome.held else {})


def publish(ledger: Ledger, entries: list[tuple[str, int]]) -> MerkleSumTree:
    tree = MerkleSumTree.build(entries)
    pages = [Run(page, tree.page_words(page), tree.page_proof(page)) for page in range(tree.pages)]
    ledger.splits.publish(LICENSOR, tree.split, pages)
    return tree
