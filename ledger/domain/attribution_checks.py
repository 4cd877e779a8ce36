"""What a root alone cannot show: flaws of a batch, a file that is not what was recorded, duties of credit not met.

Pure functions; the command line and the audit list what they return. A flaw names its place and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from ledger.domain.attribution import FINE_TUNE, TRAIN, Credits
from ledger.domain.attribution_book import AttributionBook, Batch, Recorded, Training
from ledger.domain.canonical import hex32
from ledger.domain.chain_terms import ATTRIBUTION_DUTIES
from ledger.domain.royalty import PPM

_SOURCE_LIST = ATTRIBUTION_DUTIES.index("SOURCE_LIST")
_PER_OUTPUT = ATTRIBUTION_DUTIES.index("PER_OUTPUT")
#: Use types of usage files that are training.
TRAINING_USES = {"AiTraining": TRAIN, "AiFineTuning": FINE_TUNE}


class FlawKind(StrEnum):
    """Every kind of flaw there is."""

    WEIGHTS = "weights"
    CONTENT = "content"
    REPEATED_LINE = "repeated-line"
    REPEATED_OUTPUT = "repeated-output"
    UNKNOWN_WORK = "unknown-work"
    MISSING_LEAVES = "missing-leaves"
    OTHER_FIGURES = "other-figures"
    MISSING_FILE = "missing-file"
    MISSING_CREDITS = "missing-credits"
    MISSING_TRAINING = "missing-training"


#: Flaws that are a fact of the batch: it can be recorded all the same, and who checks it will find them.
NOTED = frozenset({FlawKind.WEIGHTS, FlawKind.CONTENT, FlawKind.UNKNOWN_WORK})


@dataclass(frozen=True, slots=True)
class Flaw:
    """One flaw: where (an output, a work, a record of a licence) and what."""

    kind: FlawKind
    where: str
    what: str

    def as_dict(self) -> dict[str, str]:
        """The flaw as data for `--json`."""
        return {"kind": str(self.kind), "where": self.where, "what": self.what}


# ---- a batch by itself


def check_credits(batch: Credits, known_works: Collection[str] | None = None) -> list[Flaw]:
    """The flaws of a batch: weights that do not sum to one million, content hashes of one output that differ, a work
    credited twice by one output, and works that the manifest (where it is known) does not have.
    """
    sums: dict[str, int] = {}
    contents: dict[str, bytes] = {}
    pairs: set[tuple[str, str]] = set()
    differing: dict[str, None] = {}
    repeated: dict[tuple[str, str], None] = {}
    columns = zip(batch.outputs, batch.content_hashes, batch.works, batch.weights, strict=True)
    for output, content, work, weight in columns:
        sums[output] = sums.get(output, 0) + weight
        if contents.setdefault(output, content) != content:
            differing[output] = None
        if (output, work) in pairs:
            repeated[output, work] = None
        pairs.add((output, work))
    flaws = [
        Flaw(
            FlawKind.WEIGHTS,
            f"output {output}",
            f"its weights sum to {total:,} parts per million, not to {PPM:,}",
        )
        for output, total in sums.items()
        if total != PPM
    ]
    flaws += [
        Flaw(FlawKind.CONTENT, f"output {output}", "its lines name different content hashes")
        for output in differing
    ]
    flaws += [
        Flaw(FlawKind.REPEATED_LINE, f"output {output}", f"it credits {_work(work)} more than once")
        for output, work in repeated
    ]
    if known_works is not None:
        lines: dict[str, int] = {}
        for work in batch.works:
            if work and work not in known_works:
                lines[work] = lines.get(work, 0) + 1
        flaws += [
            Flaw(
                FlawKind.UNKNOWN_WORK,
                f"work {work}",
                f"{count:,} lines credit it, and the licensed manifest does not have it",
            )
            for work, count in lines.items()
        ]
    return flaws


def _work(work: str) -> str:
    return f"the work {work}" if work else "what is outside the catalogue"


# ---- records and their files


def check_batch_file(recorded: Recorded, batch: Credits) -> list[Flaw]:
    """Whether a file is what was recorded: its root, and the numbers of leaves and outputs that the record tells."""
    told = recorded.what
    where = place_of(recorded)
    if not isinstance(told, Batch) or told.root != batch.root:
        return [
            Flaw(
                FlawKind.MISSING_LEAVES,
                where,
                f"its root is {hex32(told.root)}, the file's {hex32(batch.root)}: leaves are missing, added or changed",
            )
        ]
    flaws = []
    if told.leaves != len(batch):
        flaws.append(
            Flaw(
                FlawKind.MISSING_LEAVES,
                where,
                f"it tells of {told.leaves:,} leaves, the tree has {len(batch):,}",
            )
        )
    if told.outputs != batch.output_count:
        flaws.append(
            Flaw(
                FlawKind.OTHER_FIGURES,
                where,
                f"it tells of {told.outputs:,} outputs, the file has {batch.output_count:,}",
            )
        )
    return flaws


def check_training_file(recorded: Recorded, root: bytes, works: int) -> list[Flaw]:
    """Whether a list of works, by its root and number, is what was recorded."""
    told = recorded.what
    where = place_of(recorded)
    if told.root != root:
        what = (
            f"its root is {hex32(told.root)}, the file's {hex32(root)}: works are missing, added or changed"
        )
        return [Flaw(FlawKind.MISSING_LEAVES, where, what)]
    if told.leaves != works:
        what = f"it tells of {told.leaves:,} works, the tree has {works:,}"
        return [Flaw(FlawKind.MISSING_LEAVES, where, what)]
    return []


def check_resends(book: AttributionBook, licence: int) -> list[Flaw]:
    """Roots that were recorded again with other figures: the first record stands."""
    return [
        Flaw(
            FlawKind.OTHER_FIGURES,
            place_of(one),
            f"{one.others:,} later records of this root tell other figures",
        )
        for one in book.of_licence(licence)
        if one.others
    ]


def repeated_outputs(batches: Iterable[tuple[Recorded, Credits]]) -> Iterator[Flaw]:
    """Outputs that stand in several batches of one licence: they are credited more than once."""
    first: dict[str, Recorded] = {}
    for recorded, batch in batches:
        for output in dict.fromkeys(batch.outputs):
            known = first.setdefault(output, recorded)
            if known is not recorded:
                yield Flaw(
                    FlawKind.REPEATED_OUTPUT,
                    f"output {output}",
                    f"it stands in {place_of(known)} and in {place_of(recorded)}",
                )


def place_of(recorded: Recorded) -> str:
    """A record in words."""
    kind = "training run" if isinstance(recorded.what, Training) else "batch"
    return f"licence {recorded.licence}, {kind} {hex32(recorded.what.root)[:18]}"


# ---- duties


@dataclass(frozen=True, slots=True)
class UsageReported:
    """What the usage files of one period tell: outputs by their OutputCount, and the use types that occur."""

    period: int
    outputs: int
    uses: frozenset[str] = frozenset()


def check_duties(
    book: AttributionBook, licence: int, duty: int, reported: Iterable[UsageReported], *, until: int
) -> list[Flaw]:
    """Duties of credit (terms.attributionDuty) that the records up to a time do not meet.

    Per output, and above it public credit: at least as many outputs recorded as reported, over all periods given,
    since a batch names no period. From a list of sources on: a training run recorded where training is reported.
    """
    if duty < _SOURCE_LIST:
        return []
    flaws = []
    periods = sorted(reported, key=lambda one: one.period)
    kinds = {
        one.what.kind
        for one in book.of_licence(licence)
        if isinstance(one.what, Training) and one.time <= until
    }
    for use, kind in TRAINING_USES.items():
        using = [one.period for one in periods if use in one.uses]
        if using and kind not in kinds:
            what = f"{use} is reported from period {using[0]} on, and no run of it is recorded"
            flaws.append(Flaw(FlawKind.MISSING_TRAINING, f"licence {licence}", what))
    if duty >= _PER_OUTPUT:
        recorded = book.outputs_recorded(licence, until)
        total = 0
        for one in periods:
            total += one.outputs
            if total > recorded:
                what = (
                    f"{total:,} outputs are reported up to this period, credits of {recorded:,} are recorded: "
                    f"those of {total - recorded:,} are missing"
                )
                where = f"licence {licence}, period {one.period}"
                flaws.append(Flaw(FlawKind.MISSING_CREDITS, where, what))
    return flaws
