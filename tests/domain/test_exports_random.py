"""Any terms that are accepted can be exported, and each export keeps to its standard's rules."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from ledger.domain.exports.cawg import flaws_of_cawg
from ledger.domain.exports.formats import EXPORTERS
from ledger.domain.exports.odrl_terms import flaws_of_odrl
from ledger.domain.exports.rsl_rules import flaws_of_rsl
from ledger.domain.exports.subject import Granted, Subject
from ledger.domain.terms import read_terms
from ledger.domain.terms_fields import Allocation, AttributionDuty, OnTermination, ReportingPeriod, Scope

LETTERS = "aZ9 <>&\"'-/\\{}:#é漢\u202e\U0001f3b5"


def text(rng: Random) -> str:
    return "".join(rng.choice(LETTERS) for _ in range(rng.randrange(1, 20))).strip() or "a"


def some(rng: Random, kind: Any, least: int = 0) -> list[str]:
    names = [one.value for one in kind]
    return rng.sample(names, rng.randrange(least, len(names) + 1))


def address(rng: Random) -> str:
    return "0x" + rng.randbytes(20).hex()


def amount(rng: Random) -> str:
    return rng.choice(("0", "1", "0.000001", "1250.50", str(rng.randrange(10**12))))


def random_document(rng: Random) -> dict[str, Any]:
    """A terms document with every field set at random, so that all of them are met."""
    scope, period = some(rng, Scope, 1), rng.choice(list(ReportingPeriod))
    reported, weighted, fee = period is not ReportingPeriod.NONE, rng.random() < 0.5, amount(rng)
    limits = sorted(rng.sample(range(1, 1000), rng.randrange(4)))
    tiers: list[dict[str, Any]] = [
        {"up_to": str(one), "rate_ppm": rng.randrange(10**6 + 1)} for one in limits
    ]
    tiers.append({"rate_ppm": rng.randrange(10**6 + 1)})
    places = rng.choice((["WORLD"], ["DE"], ["SE", "NO"]))
    return {
        "terms": "1",
        "title": text(rng),
        "catalogue": rng.randrange(1, 100),
        "licensor": address(rng),
        "licensee": rng.choice((None, address(rng))),
        "parent": rng.choice(("", text(rng))),
        "works_root": "0x" + rng.randbytes(32).hex(),
        "model": {"name": text(rng), "version": text(rng)},
        "scope": scope,
        "reach": {
            "start": "2026-01-01",
            "end": rng.choice((None, "2027-03-04T05:06:07Z")),
            "exclusive": rng.sample(scope, rng.randrange(len(scope) + 1)),
            "transferable": rng.random() < 0.5,
            "territories": {"include": places, "exclude": rng.choice(([], ["US", "CA"]))},
            "user_class": rng.choice(("", text(rng))),
        },
        "money": {
            "token": address(rng),
            "symbol": text(rng),
            "decimals": 18,
            "upfront_fee": fee,
            "advance": fee != "0" and rng.random() < 0.5,
            "tiers": tiers if reported and rng.random() < 0.7 else [],
            "tiers_count": rng.choice(("PERIOD", "LIFE")),
            "deduction_cap_ppm": rng.choice((0, 150_000)),
            "deduction_kinds": rng.choice(([], [text(rng)])),
            "guarantee": amount(rng) if reported else "0",
            "cap": rng.choice((None, "5")),
            "late_rate_ppm": rng.choice((0, 80_000, 1)),
            "grace_days": rng.choice((0, 5)),
        },
        "pool": {
            "weighted": weighted,
            "distributions": address(rng) if weighted else None,
            "allocation": rng.choice([one.value for one in Allocation if one is not Allocation.BLEND]),
            "unmatched": rng.choice(("HOLD", "SHARE_OUT")),
        },
        "duties": {
            "reporting_period": period.value,
            "days_to_pay": rng.randrange(60),
            "attribution": rng.choice(list(AttributionDuty)).value,
        },
        "control": {"cure_days": rng.randrange(60), "on_termination": some(rng, OnTermination)},
    }


@pytest.mark.parametrize("seed", range(150))
def test_whatever_the_terms_say_the_exports_conform(seed):
    rng = Random(seed)
    document = read_terms(random_document(rng))
    licence = Granted(rng.randrange(1, 10**6), address(rng), rng.randrange(1, 10**6), address(rng))
    for granted in (None, licence):
        subject = Subject(
            document, granted, granted.chain_id if granted else None, currency=rng.choice(("", "EUR"))
        )
        made = {name: export(subject) for name, export in EXPORTERS.items()}
        assert flaws_of_rsl(made["rsl"].text) == []
        assert flaws_of_odrl(made["odrl"].data) == []
        assert flaws_of_cawg(made["cawg"].data) == []
        assert made["json"].text.encode() == document.canonical() + b"\n"
