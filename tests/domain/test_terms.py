"""Licence terms: real deals can be said, wrong ones are refused with every flaw, and the chain's form is
exact.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from random import Random

import pytest
from eth_account.messages import encode_typed_data
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import TOKEN, random_terms

from ledger.domain.canonical import canonical_hash, keccak256
from ledger.domain.chain_terms import SCOPES, ChainTerms, Offer, bits_of, names_of, offer_id, offer_typed_data
from ledger.domain.errors import FindingsError, LedgerError, ValueRefused
from ledger.domain.reverts import Revert
from ledger.domain.royalty import NO_LIMIT, Tier
from ledger.domain.terms import commercial_model, parse_terms, terms_schema
from ledger.domain.terms_fields import Scope

ROOT = Path(__file__).parents[2]
MODELS = {
    "amazon_nyt": "FLAT",
    "comet_plus": "POOL",
    "gema": "REVENUE_SHARE",
    "gist": "POOL",
    "kobalt_merlin": "HYBRID",
    "landr": "POOL",
    "shutterstock": "POOL",
    "stim": "POOL",
}
DEALS = ROOT / "tests" / "deals"
GEMA = (DEALS / "gema" / "terms.yaml").read_text()
HYBRID = (DEALS / "kobalt_merlin" / "terms.yaml").read_text()


@pytest.mark.parametrize("deal", sorted(path.parent.name for path in DEALS.glob("*/terms.yaml")))
def test_real_deals_can_be_said(deal: str) -> None:
    document = parse_terms((DEALS / deal / "terms.yaml").read_text())
    terms = document.chain_terms(6)
    assert commercial_model(terms) == MODELS[deal]
    assert terms.document == document.hash == keccak256(document.canonical())
    assert parse_terms(document.canonical().decode()) == document
    assert ChainTerms.decode(terms.encode()) == terms


def test_a_document_becomes_the_terms_of_the_chain() -> None:
    terms = parse_terms(HYBRID).chain_terms()
    assert terms.upfront_fee == terms.advance_amount == 10**12
    assert terms.tiers == (Tier(10**13, 200_000), Tier(NO_LIMIT, 250_000))
    assert (terms.tiers_over_life, terms.period_months, terms.cap) == (True, 3, 0)
    assert (terms.start, terms.end) == (1_767_225_600, 1_924_992_000)
    assert terms.scope_names == ("TRAIN", "INFER", "COMMERCIAL_OUTPUT")


def test_yaml_and_json_and_order_and_written_defaults_make_no_difference() -> None:
    document = parse_terms(GEMA)
    shuffled = dict(reversed(json.loads(document.canonical()).items()))
    assert parse_terms(json.dumps(shuffled, indent=3)).hash == document.hash
    assert canonical_hash(shuffled) == document.hash


def test_the_shipped_schema_is_up_to_date() -> None:
    # To mend it, write terms_schema() into the file.
    assert (ROOT / "ledger/data/schemas/terms.schema.json").read_text() == terms_schema()


def test_names_of_scopes_are_those_of_the_bits() -> None:
    assert tuple(Scope.__members__) == SCOPES
    assert names_of(bits_of(["INDEX", "TRAIN"])) == ("TRAIN", "INDEX")


@pytest.mark.parametrize(
    ("old", "new", "where", "says"),
    [
        ("rate_ppm: 300000", "rate_ppm: 1000001", "money.tiers[0].rate_ppm", "are 100 %"),
        ("rate_ppm: 300000", "rate_ppm: 0.3", "money.tiers[0].rate_ppm", "no whole number"),
        ("[{rate_ppm: 300000}]", '[{up_to: "5", rate_ppm: 1}]', "money.tiers[0].up_to", "without limit"),
        (
            "[{rate_ppm: 300000}]",
            '[{up_to: "5", rate_ppm: 1}, {up_to: "5", rate_ppm: 1}, {rate_ppm: 1}]',
            "money.tiers[1].up_to",
            "not after the one before",
        ),
        (
            "[{rate_ppm: 300000}]",
            "[{rate_ppm: 1}, {rate_ppm: 1}]",
            "money.tiers[0].up_to",
            "Only the last tier",
        ),
        ("start: 2026-01-01", "start: 2026-01-01, end: 2025-01-01", "reach.end", "not after the start"),
        ("start: 2026-01-01", "start: 1999-01-01", "reach.start", "years 2000"),
        ("start: 2026-01-01", "start: 1.1.2026", "reach.start", "no time"),
        ("start: 2026-01-01", "start: 2026-02-30", "reach.start", "no time"),
        ("start: 2026-01-01", "start: 2026-01-01, exclusive: [INDEX]", "reach.exclusive", "not in the scope"),
        ("[DE]", "[XX]", "reach.territories.include[0]", "no country"),
        ("[TRAIN, INFER, COMMERCIAL_OUTPUT]", "[TRAIN, TRAIN]", "scope", "twice"),
        ("[TRAIN, INFER, COMMERCIAL_OUTPUT]", "[TRAINING]", "scope[0]", "none of"),
        ("[TRAIN, INFER, COMMERCIAL_OUTPUT]", "[]", "scope", "at least 1"),
        ('guarantee: "2500"', "guarantee: 2500", "money.guarantee", "not a string"),
        ('guarantee: "2500"', 'guarantee: "-1"', "money.guarantee", "negative"),
        ('guarantee: "2500"', 'guarantee: "1.1234567"', "money.guarantee", "7 decimals"),
        ('guarantee: "2500"', 'cap: "0"', "money.cap", "cap of zero"),
        ('guarantee: "2500"', "advance: true", "money.advance", "no upfront fee"),
        ('guarantee: "2500"', "guarrantee: x", "money.guarrantee", "unknown"),
        ("reporting_period: MONTH", "reporting_period: NONE", "money.tiers", "no royalty"),
        ("reporting_period: MONTH", "reporting_period: NONE", "money.guarantee", "no guarantee"),
        ("days_to_pay: 30", "days_to_pay: 3", "duties.days_to_pay", "before the report"),
        ("cure_days: 30", "cure_day: 30", "control.cure_day", "unknown"),
        ("cure_days: 30", "cure_days: -1", "control.cure_days", "less than 0"),
        ("cure_days: 30", "cure_days: yes", "control.cure_days", "no whole number"),
        ("decimals: 6", "decimals: 6\n  late_rate_ppm: 10000001", "money.late_rate_ppm", "are 1000 %"),
        ("00000000b2", "000b2", "money.token", "not an address"),
        ("00000000b2", "000000000b", "money.token", "zero"),
        ("catalogue: 1", "catalogue: 0", "catalogue", "less than 1"),
        ('terms: "1"', 'terms: "2"', "terms", "'1'"),
        ("catalogue: 1\n", "catalogue: 1\npool: {weighted: true}\n", "pool.distributions", "names its"),
        (
            "catalogue: 1\n",
            'catalogue: 1\npool: {distributions: "0x00000000000000000000000000000000000000c3"}\n',
            "pool.weighted",
            "Only a weighted pool",
        ),
        ("catalogue: 1\n", "", "catalogue", "missing"),
        ("title: GEMA-style licence", 'title: "a\\x1b[31m"', "title", "control characters"),
        ("title: GEMA-style licence", 'title: "a\\x9b31m"', "title", "control characters"),
        ("title: GEMA-style licence", 'title: "\\uD800"', "title", "control characters"),
        ("title: GEMA-style licence", "title: &a [*a]", "title", "A list is no text"),
        ("catalogue: 1\n", "catalogue: 0x" + "f" * 5000 + "\n", "catalogue", "thousands of digits is more"),
    ],
)
def test_flawed_terms_name_the_field(old: str, new: str, where: str, says: str) -> None:
    assert old in GEMA
    text = GEMA.replace(old, new)
    if says == "zero":
        text = GEMA.replace("0x00000000000000000000000000000000000000b2", "0x" + "00" * 20)
    with pytest.raises(FindingsError) as refused:
        parse_terms(text)
    assert any(one.where == where and says in one.what for one in refused.value.findings), str(refused.value)


def test_every_flaw_is_listed_and_typing_errors_get_a_suggestion() -> None:
    text = (
        GEMA.replace("guarantee", "garantee")
        .replace("MONTH", "MONTHLY")
        .replace("cure_days: 30", "cure_days: x")
    )
    with pytest.raises(FindingsError) as refused:
        parse_terms(text)
    assert len(refused.value.findings) == 3
    assert "Did you mean guarantee?" in str(refused.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: [", "no YAML"),
        ("a: 1\na: 2", "no YAML"),
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": 1,', "no JSON"),
        ("- 1", "no mapping"),
        ("", "no mapping"),
        ("a: !!python/object:os.system x", "no YAML"),
    ],
)
def test_what_is_no_document_is_refused(text: str, says: str) -> None:
    with pytest.raises(LedgerError, match=says):
        parse_terms(text)


def test_yaml_is_version_1_2() -> None:
    # NO is Norway and yes is a word, not a truth value.
    assert parse_terms(GEMA.replace("[DE]", "[NO]")).reach.territories.include == ["NO"]
    with pytest.raises(FindingsError, match="1 flaw"):
        parse_terms(HYBRID.replace("advance: true", "advance: yes"))


def test_the_token_s_own_decimals_count() -> None:
    with pytest.raises(ValueRefused, match="the token has 18"):
        parse_terms(GEMA).chain_terms(18)


# The chain's form


@settings(max_examples=100, deadline=None)
@given(st.integers(min_value=0, max_value=2**40))
def test_terms_survive_their_encoding(seed: int) -> None:
    terms = random_terms(Random(seed))
    terms.check()
    data = terms.encode()
    assert ChainTerms.decode(data) == terms
    assert len(data) == 29 * 32 + 64 * len(terms.tiers)
    at = Random(seed).randrange(len(data))
    flipped = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
    try:
        other = ChainTerms.decode(flipped)
    except Revert as error:
        other = error
    assert other == Revert("Licences_BadTerms", 27) or other != terms


@pytest.mark.parametrize("data", [b"", bytes(32), bytes(29 * 32)])
def test_other_bytes_are_no_terms(data: bytes) -> None:
    with pytest.raises(Revert, match="BadTerms"):
        ChainTerms.decode(data)


def test_longer_encodings_of_the_same_terms_are_refused() -> None:
    data = random_terms(Random(1)).encode()
    with pytest.raises(Revert, match="BadTerms"):
        ChainTerms.decode(data + bytes(32))


@pytest.mark.parametrize(
    ("change", "which"),
    [
        ({"document": bytes(32)}, 0),
        ({"works_root": bytes(32)}, 1),
        ({"token": "0x" + "00" * 20}, 4),
        ({"scope": 0, "exclusive": 0}, 5),
        ({"scope": 1 << 10}, 5),
        ({"scope": 1, "exclusive": 2}, 6),
        ({"start": 946_684_799}, 7),
        ({"start": 32_503_680_000, "end": 0}, 7),
        ({"end": 1}, 8),
        ({"upfront_fee": 2**104}, 10),
        ({"deduction_cap_ppm": 1_000_001}, 13),
        ({"guarantee": 2**104}, 14),
        ({"cap": 2**104}, 15),
        ({"late_rate_ppm": 10_000_001}, 16),
        ({"period_months": 2}, 18),
        ({"period_months": 0, "guarantee": 1, "tiers": ()}, 14),
        ({"period_months": 0, "guarantee": 0, "tiers": (Tier(NO_LIMIT, 1),)}, 26),
        ({"days_to_report": 5, "days_to_pay": 4}, 20),
        ({"attribution_duty": 4}, 22),
        ({"tiers": (Tier(5, 1),)}, 26),
        ({"tiers": (Tier(0, 1), Tier(NO_LIMIT, 1))}, 26),
        ({"tiers": (Tier(5, 1), Tier(5, 1), Tier(NO_LIMIT, 1))}, 26),
        ({"tiers": (Tier(NO_LIMIT, 1_000_001),)}, 26),
        ({"tiers": (*tuple(Tier(i + 1, 1) for i in range(16)), Tier(NO_LIMIT, 1))}, 27),
    ],
)
def test_bad_terms_of_the_chain(change: dict[str, object], which: int) -> None:
    terms = random_terms(Random(3), period_months=1, guarantee=0, tiers=(Tier(NO_LIMIT, 1),))
    with pytest.raises(Revert) as refused:
        replace(terms, **change).check()
    assert refused.value == Revert("Licences_BadTerms", which)


def test_the_fields_of_the_chain_are_those_of_the_interface() -> None:
    import re

    from ledger.domain.revert_table import TERMS_FIELDS

    source = (ROOT / "contracts/interfaces/ILicences.sol").read_text()
    body = re.search(r"struct Terms \{(.*?)\}", source, re.DOTALL)
    assert body
    declared = re.findall(r"(\w+);", body[1])
    assert tuple(declared) == TERMS_FIELDS
    ours = [re.sub(r"_(\w)", lambda m: m[1].upper(), one.name) for one in fields(ChainTerms)]
    assert ours == declared


def test_P_13_offers_are_signed_as_eip_712_over_chain_and_contract() -> None:
    terms, offer = random_terms(Random(4)), Offer(7, 1_800_000_000, "ipfs://terms")
    where = {"chain_id": 31337, "licences": TOKEN}
    digest = offer_id(terms, offer, **where)
    signable = encode_typed_data(full_message=offer_typed_data(terms, offer, **where))
    assert digest == keccak256(b"\x19" + signable.version + signable.header + signable.body)
    others = [
        offer_id(terms, offer, chain_id=1, licences=TOKEN),
        offer_id(terms, offer, chain_id=31337, licences="0x" + "22" * 20),
        offer_id(replace(terms, cap=terms.cap + 1), offer, **where),
        *(
            offer_id(terms, replace(offer, **one), **where)
            for one in ({"nonce": 8}, {"deadline": 1}, {"uri": ""})
        ),
    ]
    assert len({digest, *others}) == 7
