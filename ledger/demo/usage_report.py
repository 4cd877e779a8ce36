"""Which works a developer used in a quarter, as the usage report that it sends: real figures, assumed links.

Real: the downloads of the data sets (Data Provenance Initiative) and the tokens of each request (AzurePublicDataset;
Patel et al., Splitwise, ISCA 2024). Assumed, and said so in every report: that the model was trained on these works, a
quarter of a year's downloads counting in each quarter and a download as much as a token; and which works an output owes
credit to. The trace tells nothing of that, so the hash of a request's number picks them, often used works more often.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from ledger.demo.datasets import Repository
from ledger.demo.deals import ASSISTANT_MODEL
from ledger.demo.traffic import Request
from ledger.domain.canonical import keccak256
from ledger.domain.royalty import PPM
from ledger.usage.writer import UsageFile, head_values

#: Assumption: an output owes credit to three works, in parts per million.
CREDIT_PPM: Final = (500_000, 300_000, 200_000)
#: Assumption: how sure the attribution provider is of each credit, in basis points.
CONFIDENCE_BPS: Final = 9_000
#: What the report says of its own figures.
ASSUMED: Final = (
    "# Assumptions of the demonstration: training on these works, the credits of each output, the prices.",
    "# Real: downloads of the data sets (a quarter of them in each quarter), tokens of the trace's requests.",
)
TRAINING, INFERENCE = "1", "2"
_QUARTERS: Final = (
    ("2025-Q3", "2025-07-01", "2025-09-30"),
    ("2025-Q4", "2025-10-01", "2025-12-31"),
    ("2026-Q1", "2026-01-01", "2026-03-31"),
    ("2026-Q2", "2026-04-01", "2026-06-30"),
)


@dataclass(frozen=True, slots=True)
class Credited:
    """The part of an output that is a work's: parts per million of it, and so many of its tokens."""

    output: str
    work: str
    ppm: int
    tokens: int


@dataclass(frozen=True)
class Quarter:
    """What was used in a quarter: downloads of works trained on, credits of outputs. Periods count from 0."""

    period: int
    training: tuple[tuple[str, int], ...]
    credits: tuple[Credited, ...]

    @property
    def name(self) -> str:
        """As in the names of files: 2025-Q3."""
        return _QUARTERS[self.period][0]

    @property
    def days(self) -> tuple[str, str]:
        """Its first and its last day."""
        return _QUARTERS[self.period][1:]

    @property
    def outputs(self) -> int:
        """How many outputs there were."""
        return len({one.output for one in self.credits})


def quarter_of(period: int, works: Sequence[Repository], requests: Iterable[Request]) -> Quarter:
    """A quarter's use of works, by falling downloads, as `requests` of the trace fell into its three months."""
    training = tuple((work.id, work.downloads // 4) for work in works if work.downloads >= 4)
    ids = [work.id for work in works]
    found: list[Credited] = []
    for one in requests:
        if one.slice // 3 == period:
            found += _credits(one, ids)
    return Quarter(period, training, tuple(found))


def _credits(request: Request, ids: Sequence[str]) -> list[Credited]:
    """Three works that the hash of the request's number picks; the first gets the tokens that do not divide."""
    digest = keccak256(f"licence ledger demonstration request: {request.number}".encode())
    places: list[int] = []
    for start in (0, 4, 8):
        part = int.from_bytes(digest[start : start + 4], "big")
        # The square makes places near the beginning, the often downloaded works, more likely.
        place = len(ids) * part * part >> 64
        while place in places:
            place = (place + 1) % len(ids)
        places.append(place)
    tokens = [request.tokens * ppm // PPM for ppm in CREDIT_PPM]
    tokens[0] += request.tokens - sum(tokens)
    return [
        Credited(f"request-{request.number:05}", ids[place], ppm, count)
        for place, ppm, count in zip(places, CREDIT_PPM, tokens, strict=True)
    ]


# ---- files


def write_usage(
    folder: Path,
    quarter: Quarter,
    *,
    licence: int,
    gross: Decimal,
    deductions: Decimal,
    written: str,
    whole: bool,
) -> tuple[Path, bytes]:
    """Writes the quarter's usage report, DSR-style; its path and SHA-256. Not `whole`: without the training.

    `written` is the time of writing, 2025-10-05T08:00:00Z; money in dollars.
    """
    stamp = written.replace("-", "").replace(":", "").removesuffix("Z")
    path = folder / f"DSR_Licensor_ExampleAI_Assistant_{quarter.name}_Worldwide_1of1_{stamp}.tsv.gz"
    training = dict(quarter.training) if whole else {}
    credited: dict[str, list[Credited]] = {}
    for one in quarter.credits:
        credited.setdefault(one.work, []).append(one)
    with UsageFile(path) as file:
        file.head(
            head_values(f"{quarter.name}-{stamp}", written, *quarter.days, "P-EXAMPLE-AI", "Example AI")
        )
        for line in ASSUMED:
            file.text(line, counted=False)
        if training:
            file.summary(_summary(TRAINING, licence, "AiTraining", sum(training.values()), "downloads"))
        money = {"GrossRevenue": gross, "NetRevenue": gross - deductions}
        cut = {"DeductionType": ["refunds"], "Deductions": [deductions]} if deductions else {}
        tokens = sum(one.tokens for one in quarter.credits)
        file.summary(_summary(INFERENCE, licence, "AiInference", tokens, "tokens") | money | cut)
        for block, work in enumerate(sorted({*training, *credited}), start=1):
            file.work({"BlockId": block, "ResourceReference": "R1", "DspResourceId": work, "Title": work})
            of_block = {"BlockId": block, "ResourceReference": "R1", "IsRoyaltyBearing": True}
            if work in training:
                file.usage(of_block | {"SummaryRecordId": TRAINING, "Usages": training[work]})
            for one in credited.get(work, ()):
                file.usage(
                    of_block
                    | {
                        "SummaryRecordId": INFERENCE,
                        "SalesTransactionId": one.output,
                        "Usages": one.tokens,
                        "AttributionWeightPpm": one.ppm,
                        "AttributionMethod": "assumed",
                        "AttributionConfidenceBps": CONFIDENCE_BPS,
                        "OutputCount": 1,
                    }
                )
        return path, file.close()


def _summary(key: str, licence: int, use: str, usages: int, unit: str) -> dict[str, object]:
    return {
        "SummaryRecordId": key,
        "LicenceId": licence,
        "CommercialModel": "POOL",
        "UseType": f"aill::{use}",
        "Territory": "Worldwide",
        "ServiceDescription": "Assistant",
        "ModelId": ASSISTANT_MODEL["name"],
        "ModelVersion": ASSISTANT_MODEL["version"],
        "Usages": usages,
        "UsageUnit": unit,
        "CurrencyOfReporting": "USD",
        "GrossRevenue": 0,
        "NetRevenue": 0,
    }


def training_file(works: Iterable[Repository]) -> bytes:
    """The works of a training run, as `attribution record --training` reads them."""
    return _table(("work",), ((work.id,) for work in works))


def credits_file(quarter: Quarter, catalogue: frozenset[str]) -> bytes:
    """The credits of a quarter's outputs, as `attribution record --outputs` reads them.

    What belongs to no work of the catalogue is one line of each output, without a work.
    """
    weights: dict[tuple[str, str], int] = {}
    for one in quarter.credits:
        key = one.output, one.work if one.work in catalogue else ""
        weights[key] = weights.get(key, 0) + one.ppm
    columns = ("output", "content_hash", "work", "weight_ppm", "confidence_bps")
    rows = ((output, "", work, ppm, CONFIDENCE_BPS) for (output, work), ppm in weights.items())
    return _table(columns, rows)


def _table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\n")
    out.writerow(columns)
    out.writerows(rows)
    return text.getvalue().encode()
