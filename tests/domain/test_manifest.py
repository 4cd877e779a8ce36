"""The works manifest: refused whole with every flaw, proved work by work, and split exactly."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import address

from ledger.domain.errors import FindingsError, LedgerError, ValueRefused
from ledger.domain.manifest import Manifest, Share, Work, ppm_of, proves_work, units_of
from ledger.domain.manifest_file import parse_manifest_csv, parse_manifest_json
from ledger.domain.merkle_proof import SortedPairTree, verify
from ledger.domain.merkle_sum import MerkleSumTree

A, B, C, D = (address(name) for name in "abcd")
HEAD = "work,title,isrc,weight,holder,payee,share,right\n"
CSV = HEAD + (
    f"song,A song,GBAYE0601498,1,alice,{A},1/3,recording\n"
    f"song,A song,GBAYE0601498,1,bob,{B},1/3,recording\n"
    f"song,A song,GBAYE0601498,1,carol,{C},1/3,recording\n"
    f"song,A song,GBAYE0601498,1,dave,{D},1000000,publishing\n"
    f"other,Another,,2,alice,{A},750000,recording\n"
    "other,Another,,2,nobody,,250000,recording\n"
)


def test_units_by_hand() -> None:
    manifest = parse_manifest_csv(CSV)
    split = manifest.units()
    # song counts 1: a half by thirds, a half to dave; other counts 2: three quarters to alice.
    assert dict(split.units) == {A: 10, B: 1, C: 1, D: 3}
    assert split.unmatched == (("other", "nobody", Fraction(1, 6)),)
    assert split.unmatched_part == Fraction(1, 6)
    assert MerkleSumTree.build(split.entries).split.total == split.total == 15
    assert manifest.payees() == sorted([A, B, C, D])


def test_thirds_are_exact_in_units_and_sum_in_parts_per_million() -> None:
    song = parse_manifest_csv(CSV).work("song")
    assert [share.ppm for share in song.shares] == [333_334, 333_333, 333_333, 1_000_000]
    assert song.shares[0].part == Fraction(1, 3)


def test_works_and_shares_are_proved() -> None:
    manifest = parse_manifest_csv(CSV)
    work, proof, share, share_proof = manifest.prove_share("song", "bob", "recording")
    assert proves_work(manifest.works_root, work.words, proof)
    assert verify(work.words[3], share.leaf, share_proof)
    assert not verify(manifest.works_root, share.leaf, share_proof)
    other, _ = manifest.prove_work("other")
    assert not proves_work(manifest.works_root, other.words, [*proof, proof[0]])
    with pytest.raises(ValueRefused):
        manifest.prove_share("song", "bob", "publishing")
    with pytest.raises(ValueRefused):
        manifest.prove_work("none")


def test_the_file_is_canonical_and_read_back() -> None:
    manifest = parse_manifest_csv(CSV, title="Songs")
    again = parse_manifest_json(manifest.to_json().decode())
    assert again == manifest
    assert (again.works_root, again.file_hash) == (manifest.works_root, manifest.file_hash)


def test_weights_of_right_types() -> None:
    document = json.loads(parse_manifest_csv(CSV).to_json())
    document["right_weights"] = {"publishing": 3}
    manifest = parse_manifest_json(json.dumps(document))
    assert dict(manifest.units().units) == {A: 19, B: 1, C: 1, D: 9}
    assert parse_manifest_json(manifest.to_json().decode()) == manifest


@pytest.mark.parametrize(
    ("row", "where", "says"),
    [
        (f"x,,,,h,{A},999999,r", "line 8", "sum to 999,999 parts"),
        (f"x,,,,h,{A},1000001,r", "line 8", "more than the whole"),
        (f"x,,,,h,{A},0.5,r", "line 8", "neither parts"),
        (f"x,,,,h,{A},0,r", "line 8", "is zero"),
        (f"x,,,,h,{A},-5,r", "line 8", "no exact number"),
        (f"x,,,,h,{A},1/0,r", "line 8", "divides by zero"),
        (f"x,,BAD,,h,{A},1000000,r", "line 8", "no ISRC"),
        ("x,,,,h,0x0000000000000000000000000000000000000000,1000000,r", "line 8", "zero address"),
        ("x,,,,h,0x12,1000000,r", "line 8", "not an address"),
        (f"x,,,,,{A},1000000,r", "line 8", "holder is missing"),
        (f",,,,h,{A},1000000,r", "line 8", "work is missing"),
        (f"x,,,0,h,{A},1000000,r", "line 8", "weight is zero"),
        (f"x,,,,h,{A},500000,r\nx,,,,i,{A},500000,r", "line 9", "payee"),
        (f"x,,,,h,{A},500000,r\nx,,,,h,{B},500000,r", "line 9", "holder"),
        (f"x,,,,h,{A},500000,r\nx,Y,,,i,{B},500000,r", "line 9", "differs from line 8"),
        (f"song,,,,h,{A},1000000,r", "line 8", "differs from line 2"),
        ("x,1,2", "line 8", "more or fewer cells"),
        (f"x,,,,h,{A},1000000,r,y", "line 8", "more or fewer cells"),
    ],
)
def test_flawed_lines_are_named(row: str, where: str, says: str) -> None:
    with pytest.raises(FindingsError) as refused:
        parse_manifest_csv(CSV + row + "\n")
    assert any(one.where == where and says in one.what for one in refused.value.findings), str(refused.value)


def test_ten_thousand_flawed_lines_are_all_listed() -> None:
    started = time.process_time()
    with pytest.raises(FindingsError) as refused:
        parse_manifest_csv(HEAD + "".join(f"w{i},,BAD,,h,0x0,5.5,r\n" for i in range(10_000)))
    assert len(refused.value.findings) == 30_000
    assert refused.value.findings[-1].where == "line 10001"
    assert time.process_time() - started < 10


@pytest.mark.parametrize(
    ("document", "where", "says"),
    [
        ({"manifest": "2", "works": []}, "manifest", "unknown"),
        ({"manifest": "1", "works": []}, "", "no work"),
        ({"manifest": "1", "works": [5]}, "works[0]", "no object"),
        ({"manifest": "1", "works": [{"id": "a"}]}, "works[0].shares", "no shares"),
        ({"manifest": "1", "works": [{"id": "a", "shares": [1]}]}, "works[0].shares[0]", "no object"),
        ({"manifest": "1", "works": [{"id": 5, "shares": []}]}, "works[0].id", "no text"),
        ({"manifest": "1", "works": [{"id": "a\n", "shares": []}]}, "works[0].id", "control"),
        ({"manifest": "1", "works": [{"id": "a", "weigth": 1}]}, "works[0].weigth", "unknown"),
        ({"manifest": "1", "works": [{"id": "a", "weight": 0.5}]}, "works[0].weight", "no exact number"),
        (
            {"manifest": "1", "works": [{"id": "a", "identifiers": [["isbn", "1"]]}]},
            "works[0].identifiers[0]",
            "kind",
        ),
        (
            {"manifest": "1", "works": [{"id": "a", "identifiers": ["isrc"]}]},
            "works[0].identifiers[0]",
            "no pair",
        ),
        (
            {"manifest": "1", "works": [{"id": "a", "content_hash": "x"}]},
            "works[0].content_hash",
            "CONTENT HASH",
        ),
        ({"manifest": "1", "works": [], "right_weights": 5}, "right_weights", "no object"),
        ({"manifest": "1", "works": [{"id": "\ud800", "shares": []}]}, "works[0].id", "control characters"),
        (
            {"manifest": "1", "works": [{"id": {"a": 1}, "shares": []}]},
            "works[0].id",
            "no text but a mapping",
        ),
    ],
)
def test_flawed_json_is_named(document: dict[str, object], where: str, says: str) -> None:
    with pytest.raises(FindingsError) as refused:
        parse_manifest_json(json.dumps(document))
    assert any(one.where == where and says in one.what for one in refused.value.findings), str(refused.value)


def test_a_duplicate_work_is_named() -> None:
    document = json.loads(parse_manifest_csv(CSV).to_json())
    document["works"].append(document["works"][0])
    with pytest.raises(FindingsError, match="1 flaw") as refused:
        parse_manifest_json(json.dumps(document))
    assert refused.value.findings[0].where == "works[2]"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"works": 5}'])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(LedgerError):
        parse_manifest_json(text)


@pytest.mark.parametrize("text", ["", "work\n", "work,holder,share,colour\n", HEAD])
def test_what_is_no_csv_manifest_is_refused(text: str) -> None:
    with pytest.raises(FindingsError):
        parse_manifest_csv(text)


def test_units_that_do_not_fit_are_refused() -> None:
    primes = [p for p in range(3, 400) if all(p % q for q in range(2, p))]
    parts = {address(str(p)): Fraction(1, p) for p in primes}
    with pytest.raises(ValueRefused, match="96"):
        units_of(parts)
    with pytest.raises(ValueRefused, match="nobody"):
        units_of({})


@given(st.lists(st.integers(min_value=1, max_value=10**6), min_size=1, max_size=50))
def test_parts_per_million_sum_to_a_million(weights: list[int]) -> None:
    parts = [Fraction(weight, sum(weights)) for weight in weights]
    ppm = ppm_of(parts)
    assert sum(ppm) == 1_000_000
    assert all(abs(one - part * 1_000_000) < 1 for one, part in zip(ppm, parts, strict=True))


@given(st.integers(min_value=0, max_value=2**32))
def test_units_are_in_the_exact_ratio_of_the_values(seed: int) -> None:
    rng = Random(seed)
    works, values = [], {}
    for number in range(rng.randrange(1, 6)):
        cuts = [rng.randrange(1, 20) for _ in range(rng.randrange(1, 5))]
        weight = Fraction(rng.randrange(1, 9), rng.randrange(1, 4))
        parts = [Fraction(cut, sum(cuts)) for cut in cuts]
        shares = [
            Share(f"h{i}", part, ppm, "r", address(f"p{i}"))
            for i, (part, ppm) in enumerate(zip(parts, ppm_of(parts), strict=True))
        ]
        works.append(Work(f"w{number}", tuple(shares), weight=weight))
        for share in shares:
            values[share.payee] = values.get(share.payee, Fraction(0)) + weight * share.part
    split = Manifest(tuple(works)).units()
    whole = sum(values.values())
    for payee, units in split.units.items():
        assert Fraction(units, split.total) == values[payee] / whole


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 8, 31])
def test_sorted_pair_trees_prove_every_leaf_and_no_other(size: int) -> None:
    leaves = [Random(i).randbytes(32) for i in range(size)]
    tree = SortedPairTree(leaves)
    assert all(verify(tree.root, leaf, tree.proof(leaf)) for leaf in leaves)
    assert not verify(tree.root, bytes(32), tree.proof(leaves[0]))
    assert SortedPairTree(leaves[::-1]).root == tree.root
    with pytest.raises(KeyError):
        tree.proof(bytes(32))
