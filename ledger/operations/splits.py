"""Splits on chain: publishing their pages in transactions that fit, and reading published ones back."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain import publication
from ledger.chain.publication import CALL_BYTES
from ledger.chain.requests import Request
from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError
from ledger.domain.journal import decode_entry, event_shapes
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.reverts import Revert
from ledger.operations.session import Session
from ledger.operations.tokens import book_of_deployments


def missing_pages(session: Session, tree: MerkleSumTree) -> list[int]:
    """Numbers of the pages that are not public yet."""
    splits = session.ledger.splits
    published, _ = splits.view("publication", tree.id)
    if published == 0:
        return list(range(tree.pages))
    if published == tree.pages:
        return []
    held = splits.views("isPagePublished", [(tree.id, page) for page in range(tree.pages)])
    return [page for page, there in enumerate(held) if not _checked(there)]


def publish_requests(
    session: Session, tree: MerkleSumTree, missing: Sequence[int] | None = None
) -> list[Request]:
    """What publishes the missing pages: none if all are public, many if the split is large."""
    pages = missing_pages(session, tree) if missing is None else missing
    return list(publication.publish_requests(tree, pages, session.ledger.splits.address, CALL_BYTES))


def is_published(session: Session, split_id: bytes) -> bool:
    """Whether every page of the split is public."""
    return bool(session.ledger.splits.view("isPublished", split_id))


def published_tree(session: Session, split_id: bytes) -> MerkleSumTree:
    """The whole split, from the entries that published its pages, its id checked. Raises LedgerError."""
    shape = event_shapes("Splits")["PagePublished"]
    first = book_of_deployments(session).first_block()
    reader = session.reader
    topics = ["0x" + shape.topic.hex(), "0x" + split_id.hex()]
    pages: dict[int, Sequence[bytes]] = {}
    for log in reader.logs([session.ledger.splits.address], first, reader.head(), topics=topics):
        entry = decode_entry("Splits", log.raw())
        pages[entry["page"]] = entry["words"]
    words = b"".join(b"".join(pages[page]) for page in sorted(pages))
    if words:
        tree = MerkleSumTree.from_words(words)
        if tree.id == split_id:
            return tree
    # A tree that others built by other rules, or a node that keeps pages back.
    raise LedgerError(
        f"The pages of split 0x{split_id.hex()} cannot be read.",
        session.rpc.shown,
        "The node does not serve all of them, or the split was not published."
        if not words
        else "They do not make up this split as this program builds splits.",
        "Ask a node with the whole history, or publish the split: `licence-ledger catalogue publish`.",
    )


def sized(count: int, one: str, many: str = "") -> str:
    """A number with its noun: "1 page", "2 pages"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def short(word: bytes) -> str:
    """The start of a hash, for reading."""
    return f"0x{word.hex()[:10]}…"


def name_hash(name: str) -> bytes:
    """keccak256 of a name, as holders and right types stand in share leaves."""
    return keccak256(name.encode())


def _checked(value: object) -> object:
    if isinstance(value, LedgerError | Revert):
        raise value
    return value
