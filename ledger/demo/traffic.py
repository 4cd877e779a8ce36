"""Reports of revenue out of a real trace of requests to a large language model.

Source: AzurePublicDataset, LLM inference trace 2023 (CC BY 4.0); Patel et al., Splitwise, ISCA 2024. See
ledger/data/usage/SOURCE.md. Assumed for the demonstration, and labelled so in every report: the trace's 58 minutes cut
into 12 equal slices stand for 12 months, a scale factor turns the slice into a month, and the price list is ours.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

SLICES: Final = 12
#: Assumption: one second of the trace stands for this many seconds of a month.
SCALE: Final = 9_000
#: Assumption: price in dollars for a million tokens.
PRICE_PER_MILLION: Final = {"context": Decimal("0.50"), "generated": Decimal("1.50")}


@dataclass(frozen=True, slots=True)
class Slice:
    """One reporting period's traffic, before scaling."""

    requests: int
    context_tokens: int
    generated_tokens: int

    @property
    def gross(self) -> Decimal:
        """Gross revenue in dollars, scaled, by the price list, rounded down to the cent."""
        dollars = SCALE * (
            self.context_tokens * PRICE_PER_MILLION["context"]
            + self.generated_tokens * PRICE_PER_MILLION["generated"]
        )
        return (dollars / 1_000_000).quantize(Decimal("0.01"), rounding="ROUND_DOWN")


@dataclass(frozen=True, slots=True)
class Request:
    """One request of the trace: its number from 1, the slice that it falls into, and its tokens."""

    number: int
    slice: int
    context_tokens: int
    generated_tokens: int

    @property
    def tokens(self) -> int:
        """Tokens read and written."""
        return self.context_tokens + self.generated_tokens


def read_requests(text: str, slices: int = SLICES) -> tuple[Request, ...]:
    """The trace's requests in its order, cut into equal slices of time; each falls into exactly one."""
    rows = [
        (_time(row["TIMESTAMP"]), int(row["ContextTokens"]), int(row["GeneratedTokens"]))
        for row in csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    ]
    first, last = min(row[0] for row in rows), max(row[0] for row in rows)
    span = last - first
    return tuple(
        Request(number, min(slices - 1, (when - first) * slices // span), context, generated)
        for number, (when, context, generated) in enumerate(rows, start=1)
    )


def read_trace(text: str, slices: int = SLICES) -> tuple[Slice, ...]:
    """The traffic of each slice of the trace; every request counts in exactly one."""
    sums = [[0, 0, 0] for _ in range(slices)]
    for one in read_requests(text, slices):
        sums[one.slice][0] += 1
        sums[one.slice][1] += one.context_tokens
        sums[one.slice][2] += one.generated_tokens
    return tuple(Slice(*one) for one in sums)


def _time(stamp: str) -> int:
    """Tenths of a microsecond since 1970; the trace writes seven digits after the point."""
    seconds, _, fraction = stamp.partition(".")
    since = datetime.fromisoformat(seconds) - datetime(1970, 1, 1)
    return int(since.total_seconds()) * 10_000_000 + int(fraction.ljust(7, "0")[:7] or 0)
