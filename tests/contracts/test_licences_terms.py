"""Licences: what terms may be, and their one encoding (P-09)."""

from __future__ import annotations

from typing import Any

import pytest
from _licences import FIELDS, FIGURE, MAX, NO_PERMIT, START, TERMS_TYPE, TOP, ZERO, World, utc
from _mini import Reverted, keccak
from eth_abi.abi import decode, encode

YEAR_3000 = 32_503_680_000
BAD: list[tuple[str, Any]] = [
    ("document", bytes(32)),
    ("works_root", bytes(32)),
    ("token", ZERO),
    ("scope", 0),
    ("exclusive", 0b10),
    ("start", utc(2000, 1) - 1),
    ("start", YEAR_3000),
    ("end", START),
    ("end", YEAR_3000 + 1),
    ("deduction_cap", 1_000_001),
    ("late_rate", 10_000_001),
    ("days_to_pay", 19),
    ("upfront_fee", FIGURE),
    ("guarantee", FIGURE),
    ("cap", FIGURE),
    ("period_months", 2),
    ("period_months", 24),
    ("attribution_duty", 4),
    ("scope", 1024),
    ("tiers", [(5, 0)]),
    ("tiers", [(5, 0), (5, 0), (TOP, 0)]),
    ("tiers", [(5, 0), (4, 0), (TOP, 0)]),
    ("tiers", [(0, 0), (TOP, 0)]),
    ("tiers", [(TOP, 1_000_001)]),
    ("tiers", [(TOP - 1, 0)]),
]
GOOD: list[dict[str, Any]] = [
    {"exclusive": 0b101},
    {"start": utc(2000, 1)},
    {"start": YEAR_3000 - 2, "end": YEAR_3000 - 1},
    {"end": YEAR_3000},
    {"end": START + 1},
    {"deduction_cap": 1_000_000, "late_rate": 10_000_000, "days_to_pay": 20},
    {"upfront_fee": FIGURE - 1, "guarantee": FIGURE - 1, "cap": FIGURE - 1},
    {"attribution_duty": 3, "scope": 1023},
    {"tiers": []},
    {"tiers": [(index + 1, 1_000_000) for index in range(15)] + [(TOP, 0)]},
    {"period_months": 0, "tiers": []},
    *({"period_months": months} for months in (1, 3, 6, 12)),
]


@pytest.fixture(scope="module")
def world() -> World:
    return World()


def refused(world: World, terms: bytes) -> int:
    """The field that is refused, by the check that offer, accept and offerIdOf share."""
    with pytest.raises(Reverted) as error:
        world.licences.offerIdOf(terms, world.what())
    assert error.value.name == "Licences_BadTerms"
    return int(error.value.values[0])


@pytest.mark.parametrize(("name", "value"), BAD)
def test_p09_a_field_out_of_range_is_refused_by_its_position(world: World, name: str, value: Any) -> None:
    assert refused(world, world.terms(**{name: value})) == FIELDS.index(name)


@pytest.mark.parametrize("changes", GOOD)
def test_p09_the_edges_of_every_field_are_accepted(world: World, changes: dict[str, Any]) -> None:
    assert len(world.licences.offerIdOf(world.terms(**changes), world.what())) == 32


def test_p09_without_periods_there_is_neither_tier_nor_guarantee(world: World) -> None:
    assert refused(world, world.terms(period_months=0)) == FIELDS.index("tiers")
    assert refused(world, world.terms(period_months=0, tiers=[], guarantee=1)) == FIELDS.index("guarantee")


def test_p09_more_than_sixteen_tiers_are_refused(world: World) -> None:
    tiers = [(index + 1, 0) for index in range(16)] + [(TOP, 0)]
    assert refused(world, world.terms(tiers=tiers)) == 27


@pytest.mark.parametrize("field", [*range(3, 24), 25, 26])
def test_p09_dirty_high_bits_of_every_field_are_refused(world: World, field: int) -> None:
    words = bytearray(world.terms())
    words[32 * (1 + field)] |= 0x80
    assert refused(world, bytes(words)) == (27 if FIELDS[field] == "tiers" else field)


def test_p09_other_encodings_of_the_same_terms_are_refused(world: World) -> None:
    terms = world.terms()
    word = (1).to_bytes(32, "big")
    for other in (
        b"",
        terms[:-32],
        terms[:-1],
        terms + bytes(1),
        terms + bytes(32),
        terms[:896],
        # The struct, or the tiers, a word later: the same values to a tolerant decoder.
        (64).to_bytes(32, "big") + bytes(32) + terms[32:],
        terms[:864] + (896).to_bytes(32, "big") + word + terms[896:],
    ):
        assert refused(world, other) == 27
    later = terms[:864] + (896).to_bytes(32, "big") + bytes(32) + terms[896:]
    assert decode([TERMS_TYPE], later) == decode([TERMS_TYPE], terms)


def test_p09_a_tier_with_dirty_bits_is_refused(world: World) -> None:
    terms = world.terms(tiers=[(5, 1), (TOP, 2)])
    for at in (29, 30, 31, 32):
        words = bytearray(terms)
        words[32 * at] |= 0x80
        assert refused(world, bytes(words)) == FIELDS.index("tiers")


def test_p09_offer_and_accept_check_the_terms(world: World) -> None:
    terms, what = world.terms(scope=0), world.what()
    with pytest.raises(Reverted, match="Licences_BadTerms"):
        world.licences.offer(terms, what)
    with pytest.raises(Reverted, match="Licences_BadTerms"):
        world.licences.accept(terms, what, b"", NO_PERMIT)


def test_p09_terms_given_later_must_hash_to_those_accepted(world: World) -> None:
    licence = world.grant()
    assert world.licences.termsHashOf(licence) == keccak(world.bytes[licence])
    figures = (0, 0, 0, 0, MAX, bytes(32))
    calls = [
        ("report", (figures, False)),
        ("reportMany", ([figures], False)),
        ("bookMissing", (0,)),
        ("restate", (figures,)),
        ("pay", (0, 1, 0, 0)),
        ("object", (figures,)),
        ("callArbiter", (0,)),
        ("settle", (0, True)),
        ("giveNotice", (0,)),
        ("terminate", ()),
        ("expire", ()),
    ]
    for name, args in calls:
        with pytest.raises(Reverted, match="Licences_TermsMismatch"):
            getattr(world.licences, name)(licence, world.terms(cap=1), *args)
        with pytest.raises(Reverted, match="Licences_Unknown"):
            getattr(world.licences, name)(10**6, world.bytes[licence], *args)
    for view, arg in ((world.views.dueOf, 0), (world.views.quote, figures)):
        with pytest.raises(Reverted, match="Licences_TermsMismatch"):
            view(licence, world.terms(cap=1), arg)


def test_the_encoding_is_that_of_abi_encode(world: World) -> None:
    terms = world.terms(tiers=[(5, 1), (TOP, 2)])
    assert encode([TERMS_TYPE], decode([TERMS_TYPE], terms)) == terms
