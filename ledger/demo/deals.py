"""The four licences of the demonstration, as terms documents. Their figures are assumptions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

#: Start of the licences' term.
START: Final = "2025-07-01"
MODEL: Final = {"name": "Example LM", "version": "1.0"}
#: The model of the licence that is weighted by use.
ASSISTANT_MODEL: Final = {"name": "Example Assistant", "version": "1.0"}


@dataclass(frozen=True, slots=True)
class Parties:
    """Who and what the documents name: addresses, the catalogue's number and works root, the token."""

    licensor: str
    catalogue: int
    works_root: str
    token: str
    symbol: str
    decimals: int


def _document(parties: Parties, licensee: str, title: str, **parts: Any) -> dict[str, Any]:
    return {
        "terms": "1",
        "title": title,
        "catalogue": parties.catalogue,
        "licensor": parties.licensor,
        "licensee": licensee,
        "works_root": parties.works_root,
        "model": MODEL,
    } | parts


def _money(parties: Parties, **parts: Any) -> dict[str, Any]:
    return {"token": parties.token, "symbol": parties.symbol, "decimals": parties.decimals, **parts}


def hybrid(parties: Parties, licensee: str) -> dict[str, Any]:
    """Upfront fee as an advance, two tiers, a minimum guarantee, a deduction cap, interest on late money."""
    return _document(
        parties,
        licensee,
        "Hybrid licence: training and inference",
        scope=["TRAIN", "FINE_TUNE", "INFER", "RETRIEVE", "COMMERCIAL_OUTPUT"],
        reach={"start": START, "end": "2026-07-01"},
        money=_money(
            parties,
            upfront_fee="5000",
            advance=True,
            tiers=[{"up_to": "12000", "rate_ppm": 200_000}, {"rate_ppm": 100_000}],
            tiers_count="PERIOD",
            deduction_cap_ppm=100_000,
            deduction_kinds=["refunds", "sales tax"],
            guarantee="1500",
            late_rate_ppm=80_000,
        ),
        duties={
            "reporting_period": "MONTH",
            "days_to_report": 90,
            "days_to_pay": 105,
            "attribution": "SOURCE_LIST",
        },
        control={"cure_days": 30, "on_termination": ["STOP_TRAINING", "STOP_INFERENCE"]},
    )


def flat(parties: Parties, licensee: str) -> dict[str, Any]:
    """One fee for a year of evaluation and indexing; nothing is reported."""
    return _document(
        parties,
        licensee,
        "Flat licence: evaluation and indexing",
        scope=["INDEX", "EVALUATE"],
        reach={"start": START, "end": "2026-07-01"},
        money=_money(parties, upfront_fee="12000"),
        duties={"reporting_period": "NONE"},
        control={"cure_days": 30},
    )


def share(parties: Parties, licensee: str) -> dict[str, Any]:
    """A pure share of revenue, reported by the quarter."""
    return _document(
        parties,
        licensee,
        "Revenue share: retrieval",
        scope=["RETRIEVE", "COMMERCIAL_OUTPUT"],
        reach={"start": START, "end": "2026-07-01"},
        money=_money(parties, tiers=[{"rate_ppm": 150_000}], deduction_cap_ppm=50_000),
        duties={"reporting_period": "QUARTER", "days_to_report": 45, "days_to_pay": 60},
        control={"cure_days": 30},
    )


def pool(parties: Parties, licensee: str, distributions: str, attributor: str) -> dict[str, Any]:
    """A share of revenue by the quarter that goes to whoever's works were used, by a usage report."""
    return _document(
        parties,
        licensee,
        "Weighted by use: training and inference",
        model=ASSISTANT_MODEL,
        scope=["TRAIN", "INFER", "COMMERCIAL_OUTPUT"],
        reach={"start": START, "end": "2026-07-01"},
        money=_money(
            parties, tiers=[{"rate_ppm": 200_000}], deduction_cap_ppm=50_000, deduction_kinds=["refunds"]
        ),
        pool={
            "weighted": True,
            "distributions": distributions,
            "allocation": "USAGE",
            "unmatched": "HOLD",
        },
        duties={
            "reporting_period": "QUARTER",
            "days_to_report": 30,
            "days_to_pay": 45,
            "attribution": "PER_OUTPUT",
            "attributor": attributor,
        },
        control={"cure_days": 30},
    )
