"""Merkle-Patricia tries: proofs that a key has a value, or none, under a root (Yellow Paper, appendix D).

Strict: a proof holds exactly the nodes on the way from the root, each canonical, each the preimage of the
hash that names it. Keys are given as they stand in the trie: hashed, in the tries of state and storage.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias, Union, cast

from ledger.domain import rlp
from ledger.domain.canonical import ZERO32, keccak256
from ledger.domain.rlp import Malformed

#: Root of a trie without keys: keccak256(rlp("")).
EMPTY_ROOT = keccak256(b"\x80")
#: codeHash of an account without code: keccak256("").
EMPTY_CODE = keccak256(b"")

_HASH = 32
_BRANCH = 17
#: What most branches hold: nothing, and hashes.
_BYTES, _PLAIN = frozenset({bytes}), frozenset({0, _HASH})

#: Where a node points to: nowhere (b""), the hash of a node (32 bytes), or a node short enough to be embedded.
Child: TypeAlias = Union[bytes, "Node"]


@dataclass(frozen=True, slots=True)
class Branch:
    """Sixteen children, and the value of the key that ends here (b"": none). `raw`: see Node."""

    children: tuple[Child, ...]
    value: bytes
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Extension:
    """Nibbles (as hex digits) that all keys below share."""

    path: str
    child: Child
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class Leaf:
    """The rest of a key (as hex digits), and its value."""

    path: str
    value: bytes
    raw: bytes = b""


#: `raw` is the encoding of a node that is embedded in its parent; empty for all others.
Node: TypeAlias = Branch | Extension | Leaf


@dataclass(frozen=True, slots=True)
class Account:
    """What the state trie holds of an account."""

    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes


#: An address that the state trie does not know.
NO_ACCOUNT = Account(0, 0, EMPTY_ROOT, EMPTY_CODE)


def decode_node(raw: bytes) -> Node:
    """A node of its encoding. Raises Malformed."""
    return _node(rlp.decode(raw), embedded=False)


def _node(item: rlp.Item, *, embedded: bool) -> Node:
    if isinstance(item, bytes):
        raise Malformed("A node of a trie is a list.")
    raw = rlp.encode(item) if embedded else b""
    if len(raw) >= _HASH:
        raise Malformed("A node of a trie is embedded although it is long enough for a hash.")
    if len(item) == _BRANCH:
        value = item[16]
        if not isinstance(value, bytes):
            raise Malformed("A branch of a trie has a list for its value.")
        ways = item[:16]
        plain = _BYTES.issuperset(map(type, ways)) and _PLAIN.issuperset(map(len, ways))
        children = tuple(cast(list[bytes], ways)) if plain else tuple(map(_child, ways))
        if len(children) - children.count(b"") + (value != b"") < 2:
            raise Malformed("A branch of a trie has fewer than two ways.")
        return Branch(children, value, raw)
    if len(item) != 2 or not isinstance(item[0], bytes):
        raise Malformed("A node of a trie has 17 or 2 items.")
    path, is_leaf = _path(item[0])
    if is_leaf:
        if not isinstance(item[1], bytes) or not item[1]:
            raise Malformed("A leaf of a trie has no value.")
        return Leaf(path, item[1], raw)
    if not path:
        raise Malformed("An extension of a trie shares nothing.")
    child = _child(item[1])
    if child == b"" or (not isinstance(child, bytes) and not isinstance(child, Branch)):
        raise Malformed("An extension of a trie has to lead to a branch.")
    return Extension(path, child, raw)


def _child(item: rlp.Item) -> Child:
    if not isinstance(item, bytes):
        return _node(item, embedded=True)
    if len(item) not in (0, _HASH):
        raise Malformed("A node of a trie names another by something that is no hash.")
    return item


def _path(encoded: bytes) -> tuple[str, bool]:
    """The nibbles of a hex-prefix encoding, and whether it is a leaf's."""
    digits = encoded.hex()
    if not digits or digits[0] not in "0123":
        raise Malformed("A path of a trie has an unknown prefix.")
    flag = int(digits[0])
    if flag & 1:
        return digits[1:], flag >= 2
    if digits[1] != "0":
        raise Malformed("A path of a trie has a wrong padding.")
    return digits[2:], flag >= 2


#: Gives the node that a hash names, checked, and passes an embedded one on. Raises Malformed where it has none.
Fetch: TypeAlias = Callable[["bytes | Node"], Node]


def lookup(root: bytes, key: bytes, fetch: Fetch) -> bytes | None:
    """The value of a key, None where the trie has none. Raises Malformed."""
    if root == EMPTY_ROOT:
        return None
    rest = key.hex()
    child: Child = root
    below_extension = False
    while child != b"":
        node = fetch(child)
        if isinstance(node, Branch):
            if not rest:
                return node.value or None
            child, rest = node.children[int(rest[0], 16)], rest[1:]
            below_extension = False
        elif below_extension:
            raise Malformed("An extension of a trie has to lead to a branch.")
        elif isinstance(node, Extension):
            if not rest.startswith(node.path):
                return None
            child, rest = node.child, rest[len(node.path) :]
            below_extension = True
        else:
            return node.value if node.path == rest else None
    return None


class NodeReader:
    """Decodes nodes and remembers them by their bytes: proofs under one root share their upper nodes."""

    def __init__(self, largest: int = 12_000) -> None:
        """`largest`: how many nodes are remembered, those that were read last."""
        self._known: dict[bytes, tuple[bytes, Node]] = {}
        self._before: dict[bytes, tuple[bytes, Node]] = {}
        self._half = largest // 2

    def read(self, raw: bytes) -> tuple[bytes, Node]:
        """Hash and content of an encoded node. Raises Malformed."""
        found = self._known.get(raw)
        if found is None:
            if len(self._known) >= self._half:
                self._known, self._before = {}, self._known
            found = self._known[raw] = self._before.get(raw) or (keccak256(raw), decode_node(raw))
        return found

    def verify(self, root: bytes, key: bytes, proof: Sequence[bytes]) -> bytes | None:
        """The value of `key` under `root`, None where it has none, by a list of nodes from the root down.

        Raises Malformed where a node is missing, too much, changed or not canonical.
        """
        if root == EMPTY_ROOT:
            # Some nodes send nothing, some the empty node.
            if list(proof) not in ([], [b"\x80"]):
                raise Malformed("A proof under the empty root holds nodes.")
            return None
        used = 0

        def fetch(wanted: bytes | Node) -> Node:
            nonlocal used
            if not isinstance(wanted, bytes):
                # Some nodes list embedded nodes too.
                if used < len(proof) and proof[used] == wanted.raw:
                    used += 1
                return wanted
            if used == len(proof):
                raise Malformed("A proof ends early.", f"node 0x{wanted.hex()}")
            found, node = self.read(proof[used])
            if found != wanted:
                raise Malformed(
                    "A node of a proof is not the one that its parent names.",
                    f"node {used}",
                    f"It hashes to 0x{found.hex()}, named is 0x{wanted.hex()}.",
                )
            used += 1
            return node

        value = lookup(root, key, fetch)
        if used != len(proof):
            raise Malformed("A proof holds nodes that are not on its way.")
        return value

    def account(self, state_root: bytes, address: str, proof: Sequence[bytes]) -> Account:
        """An account by its proof; NO_ACCOUNT where the state has none. Raises Malformed."""
        held = self.verify(state_root, keccak256(bytes.fromhex(address[2:])), proof)
        return decode_account(held)

    def word(self, storage_root: bytes, slot: bytes, proof: Sequence[bytes]) -> bytes:
        """The 32 bytes of a storage slot by its proof; zeros where the trie has none. Raises Malformed."""
        return decode_word(self.verify(storage_root, keccak256(slot), proof))


def decode_account(held: bytes | None) -> Account:
    """The account that a value of the state trie encodes. Raises Malformed."""
    if held is None:
        return NO_ACCOUNT
    items = rlp.decode_list(held)
    if len(items) != 4:
        raise Malformed("An account has four fields.")
    return Account(
        rlp.int_of(items[0], 8), rlp.int_of(items[1]), rlp.fixed(items[2], _HASH), rlp.fixed(items[3], _HASH)
    )


def decode_word(held: bytes | None) -> bytes:
    """The word that a value of a storage trie encodes; anvil, unlike other nodes, keeps zeros too. Raises Malformed."""
    if held is None:
        return ZERO32
    return rlp.int_of(rlp.decode(held)).to_bytes(_HASH, "big")


def root_of(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The root of a trie of distinct keys and their values, none of them empty. Raises ValueError."""
    if not pairs:
        return EMPTY_ROOT
    ordered = sorted((key.hex(), value) for key, value in pairs)
    keys = [key for key, _ in ordered]
    if len(set(keys)) != len(keys):
        raise ValueError("A trie has one value for each key.")
    if not all(value for _, value in ordered):
        raise ValueError("A trie holds no empty values.")
    return keccak256(_build(keys, [rlp.encode_bytes(value) for _, value in ordered], 0, len(keys), 0))


def _build(keys: Sequence[str], values: Sequence[bytes], low: int, high: int, depth: int) -> bytes:
    """The encoded node over the sorted keys `low` to `high` − 1, whose first `depth` nibbles are behind it."""
    first = keys[low]
    if high - low == 1:
        return rlp.encode_list((rlp.encode_bytes(prefixed(first[depth:], 2)), values[low]))
    last = keys[high - 1]
    shared = depth
    while shared < len(first) and first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        below = _reference(_build(keys, values, low, high, shared))
        return rlp.encode_list((rlp.encode_bytes(prefixed(first[depth:shared], 0)), below))
    parts = [b"\x80"] * _BRANCH
    start = low
    if len(first) == depth:
        parts[16] = values[low]
        start += 1
    while start < high:
        nibble = keys[start][depth]
        end = start + 1
        while end < high and keys[end][depth] == nibble:
            end += 1
        parts[int(nibble, 16)] = _reference(_build(keys, values, start, end, depth + 1))
        start = end
    return rlp.encode_list(parts)


def _reference(encoded: bytes) -> bytes:
    """How a parent names a node: by itself where it is short, else by its hash."""
    return encoded if len(encoded) < _HASH else b"\xa0" + keccak256(encoded)


def prefixed(path: str, flag: int) -> bytes:
    """Hex-prefix encoding; `flag` 2 for a leaf, 0 for an extension."""
    return bytes.fromhex(f"{flag + 1}{path}" if len(path) % 2 else f"{flag}0{path}")
