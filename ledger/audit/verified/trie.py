"""Where two tries differ, as far as the nodes at hand tell: what needs no proof because its subtree is the same.

A hash names one subtree and no other. So a key has the same value in both tries where the ways to it from the two roots
come to the same hash at the same depth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from ledger.domain import rlp
from ledger.domain.canonical import keccak256
from ledger.domain.trie import EMPTY_ROOT, Branch, Child, Extension, Leaf, Node, prefixed

#: The node that a hash names, None where it is not at hand.
Known = Callable[[bytes], Node | None]

_KEY_DIGITS = 64


@dataclass
class Compared:
    """How many subtrees were found to be the same."""

    same: int = 0


def differences(old_root: bytes, new_root: bytes, old: Known, new: Known, seen: Compared) -> Iterator[str]:
    """Keys (64 hex digits) whose values differ, and shorter prefixes of keys below which that cannot be told.

    Every other key has the same value in both, or none in both. `seen` counts the subtrees that are the same.
    """
    todo: list[tuple[str, Child, Child]] = [("", _root(old_root), _root(new_root))]
    while todo:
        path, before, now = todo.pop()
        if _same(before, now):
            seen.same += before != b""
            continue
        first, second = _opened(before, old), _opened(now, new)
        if first is None or second is None:
            # One of them may be a part of a node, cut when a key was added or taken out beside it.
            if _reference(before) == _reference(now):
                seen.same += 1
            else:
                yield path
            continue
        if isinstance(first, Leaf) and isinstance(second, Leaf) and first.path == second.path:
            if first.value == second.value:
                seen.same += 1
            else:
                yield path + first.path
            continue
        if all(isinstance(one, Leaf) or one is _NOTHING for one in (first, second)):
            yield from (path + one.path for one in (first, second) if isinstance(one, Leaf))
            continue
        ways, others = _ways(first), _ways(second)
        for digit in sorted({*ways, *others}):
            if digit:
                todo.append((path + digit, ways.get(digit, b""), others.get(digit, b"")))
            elif ways.get(digit) != others.get(digit):
                yield path


def _root(root: bytes) -> bytes:
    return b"" if root == EMPTY_ROOT else root


def _same(one: Child, other: Child) -> bool:
    return one == other if isinstance(one, bytes) and isinstance(other, bytes) else False


#: Nothing, as a node: what an empty place opens to.
_NOTHING = Branch((b"",) * 16, b"")


def _opened(child: Child, known: Known) -> Node | None:
    if not isinstance(child, bytes):
        return child
    return _NOTHING if child == b"" else known(child)


def _ways(node: Node) -> dict[str, Child]:
    """Where each next digit leads; "" to a value that ends here."""
    if isinstance(node, Branch):
        ways: dict[str, Child] = {f"{digit:x}": one for digit, one in enumerate(node.children) if one != b""}
        if node.value:
            ways[""] = node.value
        return ways
    if not node.path:
        assert isinstance(node, Leaf)  # extensions that share nothing are refused, and never left over here
        return {"": node.value}
    rest = node.path[1:]
    if isinstance(node, Extension) and not rest:
        return {node.path[0]: node.child}
    return {node.path[0]: replace(node, path=rest, raw=b"")}


def _reference(child: Child) -> bytes:
    """How a parent names it: its hash, or its encoding where that is short."""
    if isinstance(child, bytes):
        return child
    if child.raw or isinstance(child, Branch):
        return child.raw
    if isinstance(child, Leaf):
        path, end = prefixed(child.path, 2), rlp.encode_bytes(child.value)
    else:
        below = child.child
        path, end = (
            prefixed(child.path, 0),
            rlp.encode_bytes(below) if isinstance(below, bytes) else below.raw,
        )
    encoded = rlp.encode_list([rlp.encode_bytes(path), end])
    return encoded if len(encoded) < len(EMPTY_ROOT) else keccak256(encoded)
