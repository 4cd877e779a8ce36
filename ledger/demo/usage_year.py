"""The usage-weighted licence of the demonstration: four quarters, from usage reports to the payees.

Every step is that of a command: `usage import`, `distribution build|publish|post|object|settle`, `attribution
record|prove`, `report restate`, `payout run`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from typing import Final

from ledger.demo.datasets import Repository
from ledger.demo.opening import CLAIMING
from ledger.demo.stage import ARBITER, ASSISTANT, ATTRIBUTOR, HOLDER, LICENSOR, data
from ledger.demo.traffic import read_requests
from ledger.demo.usage_report import credits_file, quarter_of, training_file, write_usage
from ledger.demo.year import DEDUCTIONS_PERCENT, Timetable, Year
from ledger.domain.attribution import TRAIN
from ledger.operations import attribution_proofs, attributions, distribution_plans, distributions, usage_files
from ledger.operations.attributions import File, Model
from ledger.operations.books import Books
from ledger.operations.catalogues import state_of
from ledger.operations.distribution_plans import Built
from ledger.operations.distributions import Standing
from ledger.operations.licences import document_of
from ledger.operations.manifests import kept_manifest
from ledger.operations.plan import Plan
from ledger.operations.usage_files import Checked, Wanted

#: A report of another industry, with all the flaws of real ones.
SAMPLE: Final = "DSR_TEST_YouTube_AdSupport-music_2015-Q4_IS_1of1_20160121T150926.tsv"
#: A work and an output that are proved to be recorded.
PROVED_WORK, PROVED_OUTPUT = "squad_v2", "request-00001"
#: Time of the day at which a report is written.
_CLOCK = "T08:00:00Z"
_WRITTEN: Final = ("2025-10-05", "2026-01-05", "2026-04-05", "2026-07-05")


@dataclass
class UsageYear:
    """The licence that is weighted by use. Each step is one method, told as it happens."""

    year: Year
    #: The report by which each period was distributed.
    used: dict[int, Checked] = field(default_factory=dict)
    sample: Checked | None = None
    proofs: list[attribution_proofs.Verified] = field(default_factory=list)

    def __post_init__(self) -> None:
        opening = self.year.opening
        self.opening, self.stage, self.money, self.licence = (
            opening,
            opening.stage,
            opening.money,
            opening.pool,
        )
        self.requests = read_requests(data("usage", "AzureLLMInferenceTrace_conv.csv"))
        used = [*opening.datasets.works, *opening.datasets.outside]
        self.works: list[Repository] = sorted(used, key=lambda work: (-work.downloads, work.id))
        self.quarters = [quarter_of(period, self.works, self.requests) for period in range(4)]

    def timetable(self) -> Timetable:
        """Four quarters, and what is settled after them."""
        pay_out = self.year.pay_out
        return [
            ("2025-07-10", self.record_training),
            ("2025-09-30", lambda: self.record_outputs(0)),
            ("2025-09-30", self.prove),
            ("2025-10-05", self.read_sample),
            ("2025-10-05", lambda: self.report(0)),
            ("2025-10-06", lambda: self.post(0, self.usage(0, "2025-10-05", whole=False), "4-0-first")),
            ("2025-10-20", lambda: self.object(0, self.usage(0, "2025-10-19", whole=True), "4-0")),
            ("2025-11-05", lambda: self.decide(0)),
            ("2025-11-05", pay_out),
            ("2025-12-31", lambda: self.record_outputs(1)),
            ("2026-01-05", lambda: self.report(1)),
            ("2026-01-06", lambda: self.post(1, self.usage(1, _WRITTEN[1]), "4-1")),
            ("2026-01-12", lambda: self.supplement(0, "4-0", "4-0-supplement")),
            ("2026-03-15", lambda: self.settle(1)),
            ("2026-03-15", lambda: self.settle(0)),
            ("2026-03-15", pay_out),
            ("2026-03-31", lambda: self.record_outputs(2)),
            ("2026-04-05", lambda: self.report(2)),
            ("2026-05-10", lambda: self.restate(0, percent=5)),
            ("2026-06-20", lambda: self.post(2, self.usage(2, _WRITTEN[2]), "4-2", account=ASSISTANT)),
            ("2026-06-30", lambda: self.record_outputs(3)),
            ("2026-07-05", lambda: self.report(3)),
            ("2026-07-06", lambda: self.post(3, self.usage(3, _WRITTEN[3]), "4-3")),
            ("2026-09-05", lambda: self.settle(2)),
            ("2026-09-05", lambda: self.settle(3)),
            ("2026-09-05", lambda: pay_out(retry=True)),
        ]

    # ---- attribution

    def record_training(self) -> None:
        """The developer records which works it trained on."""
        session = self.stage.session(ASSISTANT)
        file = File(training_file(self.opening.datasets.works), "training.csv")
        made = attributions.plan_training(session, self.licence, file, TRAIN, Model(), manifest=None, uri="")
        with session.sender() as sender:
            attributions.record(session, sender, made)
        self.stage.say(
            f"Licence {self.licence}: a training run on {made.what.leaves} works is recorded "
            "(that the model was trained on them is an assumption)."
        )

    def record_outputs(self, period: int) -> None:
        """The attribution provider records which works the quarter's outputs owe credit to."""
        session, quarter = self.stage.session(ATTRIBUTOR), self.quarters[period]
        ids = frozenset(work.id for work in self.opening.datasets.works)
        file = File(credits_file(quarter, ids), f"credits-{quarter.name}.csv")
        made = attributions.plan_outputs(session, self.licence, file, Model(), manifest=None, uri="")
        with session.sender() as sender:
            attributions.record(session, sender, made)
        self.stage.say(
            f"{self._of(period)}: credits of {quarter.outputs} outputs are recorded by their "
            f"Merkle root, {made.what.leaves} leaves (real requests; which works they owe credit to is assumed)."
        )

    def prove(self) -> None:
        """Anyone proves that a work was trained on and what an output owes, by the contract's pure views."""
        session = self.stage.session(HOLDER)
        proofs = attribution_proofs.prove(session, self.licence, work=PROVED_WORK)
        proofs += attribution_proofs.prove(session, self.licence, output=PROVED_OUTPUT)
        self.proofs = attribution_proofs.verify_proofs(session, proofs)
        owed = ", ".join(
            f"{one.proof.work or 'what is outside the catalogue'} {one.proof.words[3] / 10_000:g} %"
            for one in self.proofs
            if one.proof.output
        )
        self.stage.say(
            f"Proved on chain: {PROVED_WORK} was trained on; output {PROVED_OUTPUT} owes credit to {owed}."
        )

    # ---- usage

    @property
    def store(self) -> Path:
        """Where `usage import` keeps reports."""
        return self.stage.home.files / "usage"

    def read_sample(self) -> None:
        """A real sample of another industry goes in with all its flaws."""
        with resources.as_file(resources.files("ledger").joinpath("data", "dsr", SAMPLE)) as path:
            self.sample = usage_files.import_report([path], self.store, Wanted())
        flaws = self.sample.report.flaws
        kinds = ", ".join(f"{count} {kind.value}" for kind, count in sorted(flaws.counts.items()))
        self.stage.say(
            f"{SAMPLE}: imported, {self.sample.report.total().lines} usage lines, {len(flaws)} flaws: {kinds}."
        )

    def report(self, period: int) -> None:
        """The developer reports a quarter's revenue and pays; the money waits in the period's account."""
        self.year.report(ASSISTANT, self.licence, [period])

    def usage(self, period: int, day: str, *, whole: bool = True) -> Checked:
        """The developer writes the quarter's usage report, the licensor imports it by its hash."""
        quarter, session = self.quarters[period], self.stage.session(LICENSOR)
        folder = self.stage.folder / "sent"
        folder.mkdir(exist_ok=True)
        gross = self.year.gross(self.licence, period)
        cut = (gross * DEDUCTIONS_PERCENT / 100).quantize(gross, rounding="ROUND_DOWN")
        path, digest = write_usage(
            folder,
            quarter,
            licence=self.licence,
            gross=gross,
            deductions=cut,
            written=day + _CLOCK,
            whole=whole,
        )
        terms = document_of(session, self.year.books().licences.grants[self.licence].terms)
        manifest = kept_manifest(session.files, state_of(session, self.opening.catalogue).file_hash)
        wanted = Wanted(terms, self.licence, {path.name: digest}, manifest)
        done = usage_files.import_report([path], self.store, wanted)
        report = done.report
        self.stage.say(
            f"{path.name}: {report.accepted.lines} usage lines accepted"
            f"{'' if whole else ' (the developer forgot the training)'}, {report.unmatched.lines} of works that "
            f"are in no catalogue ({_percent(report.unmatched.usages, report.total().usages)} of all use)."
        )
        return done

    # ---- distribution

    def standing(self, period: int, held: Books | None = None) -> Standing:
        """How a period's distribution stands."""
        session = self.stage.session(LICENSOR)
        return distributions.standing(session, held or self.year.books(), self.licence, period)

    def build(self, account: str, period: int, report: Checked, name: str, before: str = "") -> Built:
        """Works out who gets what into a folder, and publishes its split."""
        session, places = self.stage.session(account), self.stage.folder / "distributions"
        places.mkdir(exist_ok=True)
        assert report.folder is not None
        made = distribution_plans.build(
            session,
            self.licence,
            period,
            report.folder,
            places / name,
            supplement=places / before if before else None,
        )
        tree = distribution_plans.tree_of_folder(made.folder)
        _, missing = distribution_plans.plan_publish(session, tree)
        with session.sender() as sender:
            distribution_plans.publish(session, sender, tree, missing)
        return made

    def post(self, period: int, report: Checked, name: str, *, account: str = LICENSOR) -> None:
        """The licensor, or after its silence the licensee, posts a distribution for what waits."""
        made = self.build(account, period, report, name)
        self.used[period] = report
        self._post(account, period, made)
        who = "licensor posts" if account == LICENSOR else "licensee posts, the licensor having been silent"
        self.stage.say(f"{self._of(period)}: the {who}: {self._words(made)}.")

    def _post(self, account: str, period: int, made: Built) -> None:
        session, held = self.stage.session(account), self.year.books()
        plan = distributions.plan_post(
            session,
            held,
            self.standing(period, held),
            made.split,
            made.amount,
            made.files(),
            sender=session.address(),
        )
        self._send(account, plan)

    def object(self, period: int, report: Checked, name: str) -> None:
        """A payee objects with the split that the whole report gives, and a bond."""
        session = self.stage.session(HOLDER)
        made = self.build(HOLDER, period, report, name)
        self.used[period] = report
        held = self.year.books()
        plan, bond = distributions.plan_object(
            session, held, self.standing(period, held), made.split, sender=session.address()
        )
        before, after = (
            dict(distribution_plans.tree_of_folder(folder).entries()).get(session.address(), 0)
            for folder in (made.folder.with_name(f"{name}-first"), made.folder)
        )
        self._send(HOLDER, plan)
        self.stage.say(
            f"{self._of(period)}: {CLAIMING} objects with a bond of {self.money.show(bond)}: by the whole report "
            f"it gets {self.money.show(after)}, not {self.money.show(before)}."
        )

    def decide(self, period: int) -> None:
        """The arbiter chooses the counter-split; its money moves, and the bond goes back."""
        _, held = self._settle(ARBITER, period, "counter")
        self.stage.say(
            f"{self._of(period)}: the arbiter upholds the objection: {self.money.show(held.moved)} go to the payees of "
            f"the counter-split, the bond goes back, {self.money.show(held.waits)} are held."
        )

    def supplement(self, period: int, before: str, name: str) -> None:
        """Names that were unmatched have payees now: what was held for them is posted."""
        made = self.build(LICENSOR, period, self.used[period], name, before)
        self._post(LICENSOR, period, made)
        self.stage.say(
            f"{self._of(period)}: what was held is posted for names now matched: {self._words(made)}."
        )

    def settle(self, period: int) -> None:
        """Nobody objected in time: anyone has the money moved."""
        before, after = self._settle(LICENSOR, period)
        self.stage.say(
            f"{self._of(period)}: nobody objected, {self.money.show(after.moved - before.moved)} go to the payees; "
            f"{self.money.show(after.waits)} are held."
        )

    def restate(self, period: int, *, percent: int) -> None:
        """The developer found more revenue of a settled quarter; what it pays takes the way of the rest."""
        self.year.restate_up(self.licence, period, percent=percent, account=ASSISTANT)
        before, after = self._settle(LICENSOR, period)
        self.stage.say(
            f"{self._of(period)}: the late money is passed on in the same proportions: "
            f"{self.money.show(after.moved - before.moved)} to payees; {self.money.show(after.waits)} are held."
        )

    def _settle(self, account: str, period: int, choice: str = "") -> tuple[Standing, Standing]:
        """Takes the next step; how the period stood before and stands after it."""
        session, held = self.stage.session(account), self.year.books()
        before = self.standing(period, held)
        plan = distributions.plan_settle(session, held, before, sender=session.address(), choice=choice)
        self._send(account, plan)
        return before, self.standing(period)

    def _send(self, account: str, plan: Plan) -> None:
        self.stage.send(account, plan.requests)

    def _of(self, period: int) -> str:
        return f"Licence {self.licence}, period {period}"

    def _words(self, made: Built) -> str:
        return (
            f"{self.money.show(made.split.total)} to {made.payees} payees, "
            f"{self.money.show(made.amount - made.split.total)} held"
        )


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "0 %"
