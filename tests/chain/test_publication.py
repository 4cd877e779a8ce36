"""Call data of a publication, made of a tree's bytes: equal to what the ABI gives, in calls that have gas enough."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.chain import publication
from ledger.chain.contracts import Splits
from ledger.chain.delivery import Rules
from ledger.chain.deploy import deploy
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.chain.requests import Request
from ledger.chain.rpc import LOCAL_CHAIN
from ledger.chain.sender import Sender
from ledger.domain.merkle_sum import PAGE_SIZE, MerkleSumTree
from ledger.domain.reverts import Revert
from ledger.domain.split_book import SplitBook
from ledger.domain.split_types import Run
from ledger.operations import distribution_plans
from ledger.operations.session import Session, Settings
from ledger.operations.splits import missing_pages

TO = "0x" + "5a" * 20


SPLITS = Splits("Splits", TO, None)  # type: ignore[arg-type]


def tree_of(payees: int, units: int = 1) -> MerkleSumTree:
    return MerkleSumTree.build([(f"0x{number + 2**159:040x}", units) for number in range(payees)])


def dense_tree(payees: int) -> MerkleSumTree:
    """Words with hardly a zero byte, which cost the most."""
    first = int("11" * 20, 16)
    return MerkleSumTree.build([(f"0x{number + first:040x}", first % 2**96) for number in range(payees)])


def runs_of(request: Request) -> list[tuple[int, int]]:
    """First page and number of pages of each run of a call."""
    found = SPLITS.abi.function("publish").arguments(request.data).runs
    return [(one.firstPage, -(-len(one.words) // PAGE_SIZE)) for one in found]


def pages_of(requests: Iterable[Request]) -> list[int]:
    """The pages of calls, in order."""
    told = [one for request in requests for one in runs_of(request)]
    return [page for first, pages in told for page in range(first, first + pages)]


@pytest.mark.parametrize("payees", [1, 2, 3, 100, 128, 129, 300, 5_000])
def test_a_call_is_what_the_abi_gives(payees: int) -> None:
    tree = tree_of(payees)
    (made,) = publication.publish_requests(tree, range(tree.pages), TO)
    assert runs_of(made) == [(0, tree.pages)]
    runs = [Run(0, tree.page_words(0, tree.pages), [])]
    expected = SPLITS.publish(tree.split, runs)
    assert (made.data, made.key, made.note, made.to) == (
        expected.data,
        expected.key,
        expected.note,
        expected.to,
    )


def test_many_pages_go_in_calls_below_the_limit_each_page_once_in_order() -> None:
    tree = dense_tree(20_000)
    made = list(publication.publish_requests(tree, range(tree.pages), TO))
    assert len(made) > 1
    assert pages_of(made) == list(range(tree.pages))
    for one in made:
        assert one.gas is not None
        # EIP-7623: a node refuses a transaction whose limit is below the floor of its call data.
        assert 21_000 + 10 * publication.tokens(one.data) <= one.gas <= publication.CALL_GAS


def test_what_is_missing_goes_in_the_same_calls_when_run_again() -> None:
    tree = tree_of(40_000)
    every = list(publication.publish_requests(tree, range(tree.pages), TO))
    done = len(pages_of(every[:1]))
    again = list(publication.publish_requests(tree, range(done, tree.pages), TO))
    assert [one.key for one in again] == [one.key for one in every[1:]]


@pytest.mark.parametrize("most_bytes", [None, publication.CALL_BYTES])
def test_pages_share_a_proof_as_far_as_a_call_has_room(most_bytes: int | None) -> None:
    """P-15: a run ends where the next page is public, out of line, or more than the call takes."""
    tree = tree_of(20_000)
    rng = random.Random(20)
    for missing in (
        list(range(tree.pages)),
        [0, 1, 2, 3, 5, 6, 7, 12, 13, 14, 15, 255],
        sorted(rng.sample(range(tree.pages), 200)),
        list(range(7, 250)),
        [3],
    ):
        made = list(publication.publish_requests(tree, missing, TO, most_bytes))
        assert pages_of(made) == missing
        for one in made:
            assert all(first % pages == 0 and pages.bit_count() == 1 for first, pages in runs_of(one))
            if most_bytes is None:
                assert one.gas is not None
                assert 21_000 + 10 * publication.tokens(one.data) <= one.gas <= publication.CALL_GAS
            else:
                assert (one.gas, len(one.data) <= most_bytes) == (None, True)
    # No run so small that its proof is dear: what is left of a call's room waits for the next.
    full = dense_tree(20_000)
    first, second, *_ = publication.publish_requests(full, range(full.pages), TO, most_bytes)
    wanted = (
        ([(0, 64), (64, 32)], [(96, 32), (128, 64)])
        if most_bytes is None
        else ([(0, 16), (16, 8)], [(24, 8), (32, 16)])
    )
    assert (runs_of(first), runs_of(second)[:2]) == wanted
    scattered = publication.publish_requests(tree, [0, 1, 2, 3, 5, 6, 7, 12, 13, 14, 15], TO, most_bytes)
    assert [runs_of(one) for one in scattered] == [[(0, 4), (5, 1), (6, 2), (12, 4)]]


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3_000), st.integers(0, 2**32))
def test_any_missing_pages_make_runs_that_the_model_takes(payees: int, seed: int) -> None:
    """P-16: what is sent publishes what was missing, each page once."""
    rng = random.Random(seed)
    tree = tree_of(payees, rng.choice((1, 2**40)))
    book = SplitBook()
    public = [page for page in range(tree.pages) if rng.random() < rng.choice((0, 0.1, 0.5))]
    book.publish(TO, tree.split, [Run(page, tree.page_words(page), tree.page_proof(page)) for page in public])
    missing = [page for page in range(tree.pages) if page not in public]
    told = []
    for one in publication.publish_requests(tree, missing, TO, rng.choice((None, 9_000, 40_000))):
        found = SPLITS.abi.function("publish").arguments(one.data).runs
        runs = [Run(run.firstPage, run.words, run.siblings) for run in found]
        told += [entry["page"] for entry in book.publish(TO, tree.split, runs)]
    assert told == missing
    assert book.is_published(tree.id)


def test_a_page_that_the_split_does_not_have_is_refused() -> None:
    tree = tree_of(129)
    with pytest.raises(Revert):
        list(publication.publish_requests(tree, [2], TO))
    assert list(publication.publish_requests(tree, [], TO)) == []


@pytest.mark.parametrize(("chain_id", "calls"), [(LOCAL_CHAIN, 1), (4242, 2)])
def test_other_nodes_get_calls_of_their_size(tmp_path, chain_id: int, calls: int) -> None:
    """P-15: publication goes in calls that the node takes, each page once, whatever the size of the split."""
    tree = tree_of(4_000)
    with (
        LocalNode.start(chain_id=chain_id) as node,
        Session(Settings(home=tmp_path, rpc=node.url)) as session,
        Sender(session.rpc, dev_signer(0), tmp_path, rules=Rules(confirmations=1)) as sender,
    ):
        deploy(sender)
        missing = missing_pages(session, tree)
        heard: list[int] = []
        outcomes = distribution_plans.publish(session, sender, tree, missing, heard.append)
        assert (len(outcomes), sum(heard)) == (calls, tree.pages)
        assert max(len(one.request.data) for one in outcomes) < (131_072 if calls > 1 else 10**6)
        assert missing_pages(session, tree) == []
        assert session.ledger.splits.view("isPublished", tree.id)
