"""Tries: roots and proofs as py-trie makes them; a proof that is changed in any way is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from ledger.domain import rlp
from ledger.domain.canonical import keccak256
from ledger.domain.rlp import Malformed
from ledger.domain.trie import (
    EMPTY_ROOT,
    NO_ACCOUNT,
    Leaf,
    NodeReader,
    decode_account,
    decode_node,
    decode_word,
    root_of,
)

#: Short values make nodes that are embedded, long ones nodes that are hashed.
VALUES = st.binary(min_size=1, max_size=50)
#: Keys of one length, as in every trie of Ethereum but that of receipts; few nibbles make extensions.
KEYS = st.lists(st.sampled_from([0x00, 0x01, 0x10, 0x11, 0xF1]), min_size=3, max_size=3).map(bytes)
TRIES = st.dictionaries(KEYS, VALUES, max_size=40)
#: Keys of which one may begin as another.
MIXED = st.dictionaries(st.binary(min_size=1, max_size=4), VALUES, max_size=30)


def reference(pairs):
    held = HexaryTrie({})
    for key, value in pairs.items():
        held[key] = value
    return held


def proof_of(held, key, embedded=False):
    """As geth lists the nodes; with `embedded` as those do that list embedded nodes too."""
    if held.root_hash == EMPTY_ROOT:
        return []
    nodes = [rlp.encode(node) for node in held.get_proof(key)]
    return [node for at, node in enumerate(nodes) if at == 0 or len(node) >= 32 or embedded]


@given(st.one_of(TRIES, MIXED))
@settings(max_examples=300, deadline=None)
def test_roots_are_those_of_the_reference(pairs):
    assert root_of(list(pairs.items())) == reference(pairs).root_hash


@given(TRIES, KEYS, st.booleans())
@settings(max_examples=300, deadline=None)
def test_proofs_of_keys_and_of_their_absence(pairs, other, embedded):
    held = reference(pairs)
    reader = NodeReader()
    for key in {*list(pairs)[:5], other}:
        assert reader.verify(held.root_hash, key, proof_of(held, key, embedded)) == pairs.get(key)


@pytest.mark.parametrize("largest", [2, 5, 40])
def test_a_reader_that_forgets_reads_the_same(largest):
    held = reference({keccak256(bytes((one,))): bytes((one, 1)) * 20 for one in range(60)})
    reader = NodeReader(largest)
    for one in [*range(60), *range(59, -1, -1)]:
        key = keccak256(bytes((one,)))
        assert reader.verify(held.root_hash, key, proof_of(held, key)) == bytes((one, 1)) * 20
        assert len(reader._known) + len(reader._before) <= largest


def test_branches_with_embedded_nodes_and_odd_names():
    short = rlp.encode([b"\x3a", b"\1"])
    hashes = [bytes((one,)) * 32 for one in range(1, 15)]
    branch = decode_node(rlp.encode_list([short, *map(rlp.encode_bytes, hashes), b"\x80", b"\x80"]))
    assert branch.children[0] == Leaf("a", b"\1", short)
    assert list(branch.children[1:]) == [*hashes, b""]
    for odd in (b"\1" * 31, b"\1" * 33, b"\1"):
        with pytest.raises(Malformed, match="no hash"):
            decode_node(rlp.encode([odd, *hashes, b"", b""]))
    for odd in ([], [b""] * 32):
        with pytest.raises(Malformed):
            decode_node(rlp.encode([odd, *hashes, b"", b""]))
    for few in ([b""] * 17, [hashes[0], *[b""] * 16]):
        with pytest.raises(Malformed, match="fewer than two ways"):
            decode_node(rlp.encode(few))


@given(TRIES.filter(bool), KEYS, st.data())
@settings(max_examples=400, deadline=None)
def test_a_changed_proof_is_refused(pairs, other, draw):
    held = reference(pairs)
    key = draw.draw(st.sampled_from([*pairs, other]))
    proof = proof_of(held, key)
    how = draw.draw(st.sampled_from(["flip", "drop", "repeat", "append", "swap", "root", "empty"]))
    at = draw.draw(st.integers(0, len(proof) - 1))
    root = held.root_hash
    if how == "flip":
        node = bytearray(proof[at])
        node[draw.draw(st.integers(0, len(node) - 1))] ^= draw.draw(st.integers(1, 255))
        proof[at] = bytes(node)
    elif how == "drop":
        del proof[at]
    elif how == "repeat":
        proof.insert(at, proof[at])
    elif how == "append":
        proof.append(proof[-1])
    elif how == "swap":
        if len(proof) == 1:
            return
        proof = proof[::-1]
    elif how == "root":
        root = keccak256(root)
    else:
        proof = []
    with pytest.raises(Malformed):
        NodeReader().verify(root, key, proof)


@given(TRIES.filter(lambda pairs: len(pairs) > 1))
@settings(max_examples=200, deadline=None)
def test_the_proof_of_one_key_does_not_prove_another(pairs):
    """Whatever a foreign proof is read as, it is never a false value."""
    held = reference(pairs)
    for key in list(pairs)[:4]:
        proof = proof_of(held, key)
        for other in list(pairs)[:4]:
            try:
                found = NodeReader().verify(held.root_hash, other, proof)
            except Malformed:
                continue
            assert found == pairs[other]


def leaf(path: str, value: bytes) -> bytes:
    return rlp.encode([bytes.fromhex(path), value])


LONG = b"\x55" * 40


@pytest.mark.parametrize(
    ("node", "why"),
    [
        (rlp.encode(b"not a list"), "list"),
        (rlp.encode([b"\x20"]), "17 or 2"),
        (rlp.encode([b"\x20"] * 3), "17 or 2"),
        (rlp.encode([[b"\x20"], LONG]), "17 or 2"),
        (leaf("40" + "11", LONG), "prefix"),
        (rlp.encode([b"", LONG]), "prefix"),
        (leaf("21" + "11", LONG), "padding"),
        (leaf("01" + "11", LONG[:32]), "padding"),
        (leaf("20" + "11", b""), "no value"),
        (rlp.encode([b"\x20", [LONG]]), "no value"),
        (rlp.encode([b"\x00", LONG[:32]]), "shares nothing"),
        (rlp.encode([b"\x11", LONG]), "no hash"),
        (rlp.encode([b"\x11", b""]), "lead to a branch"),
        (rlp.encode([b"\x11", [b"\x31", b"\x07"]]), "lead to a branch"),
        (rlp.encode([b""] * 17), "fewer than two"),
        (rlp.encode([LONG[:32]] + [b""] * 16), "fewer than two"),
        (rlp.encode([b""] * 16 + [LONG]), "fewer than two"),
        (rlp.encode([LONG[:31]] * 16 + [b""]), "no hash"),
        (rlp.encode([LONG[:32]] * 16 + [[LONG]]), "list for its value"),
        (rlp.encode([[b"\x20", LONG]] + [LONG[:32]] * 15 + [b""]), "long enough for a hash"),
    ],
)
def test_nodes_that_no_trie_holds_are_refused(node, why):
    """Even where the root names them."""
    with pytest.raises(Malformed, match=why):
        NodeReader().verify(keccak256(node), b"\x11", [node])


def test_an_extension_that_leads_to_a_leaf_is_refused():
    below = leaf("20" + "11", LONG)
    above = rlp.encode([b"\x00\x11", keccak256(below)])
    with pytest.raises(Malformed, match="lead to a branch"):
        NodeReader().verify(keccak256(above), b"\x11\x11", [above, below])


def test_the_empty_trie_proves_absence_and_nothing_else():
    reader = NodeReader()
    assert reader.verify(EMPTY_ROOT, b"\x11", []) is None
    assert reader.verify(EMPTY_ROOT, b"\x11", [b"\x80"]) is None
    with pytest.raises(Malformed, match="empty root"):
        reader.verify(EMPTY_ROOT, b"\x11", [leaf("2011", LONG)])


def test_accounts_and_words_of_a_wrong_form_are_refused():
    assert decode_account(None) == NO_ACCOUNT
    good = [b"\x01", b"\x02", b"\x03" * 32, b"\x04" * 32]
    assert decode_account(rlp.encode(good)).nonce == 1
    for bad in (
        good[:3],
        [*good, b""],
        [b"\0", *good[1:]],
        [*good[:3], b"\x04" * 31],
        [b"\1" * 9, *good[1:]],
    ):
        with pytest.raises(Malformed):
            decode_account(rlp.encode(bad))
    assert decode_word(None) == bytes(32)
    assert decode_word(rlp.encode(b"\x07")) == bytes(31) + b"\x07"
    assert decode_word(rlp.encode(b"")) == bytes(32)
    for raw in (
        rlp.encode(b"\0\1"),
        rlp.encode(b"\1" * 33),
        b"\x81\x05",
        rlp.encode([b"\1"]),
    ):
        with pytest.raises(Malformed):
            decode_word(raw)


def test_a_trie_has_one_value_for_each_key_and_none_empty():
    with pytest.raises(ValueError, match="one value"):
        root_of([(b"\1", b"a"), (b"\1", b"b")])
    with pytest.raises(ValueError, match="empty"):
        root_of([(b"\1", b"")])
