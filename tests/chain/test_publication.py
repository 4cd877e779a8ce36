"""Call data of a publication, made of a tree's bytes: equal to what the ABI gives, in calls that have gas enough."""

from __future__ import annotations

import pytest

from ledger.chain import publication
from ledger.chain.contracts import Splits
from ledger.chain.delivery import Rules
from ledger.chain.deploy import deploy
from ledger.chain.keys import dev_signer
from ledger.chain.node import LocalNode
from ledger.chain.rpc import LOCAL_CHAIN
from ledger.chain.sender import Sender
from ledger.domain.merkle_sum import UNITS_LIMIT, MerkleSumTree
from ledger.domain.reverts import Revert
from ledger.domain.split_types import Page
from ledger.operations import distribution_plans
from ledger.operations.session import Session, Settings
from ledger.operations.splits import missing_pages

TO = "0x" + "5a" * 20


def tree_of(payees: int, units: int = 1) -> MerkleSumTree:
    return MerkleSumTree.build([(f"0x{number + 2**159:040x}", units) for number in range(payees)])


@pytest.mark.parametrize("payees", [1, 2, 3, 100, 128, 129, 300, 5_000])
def test_a_call_is_what_the_abi_gives(payees: int) -> None:
    tree = tree_of(payees)
    (made,) = publication.publish_requests(tree, range(tree.pages), TO)
    pages = [Page(page, tree.page_words(page), tree.page_proof(page)) for page in range(tree.pages)]
    expected = Splits("Splits", TO, None).publish(tree.split, pages)  # type: ignore[arg-type]
    assert (made.data, made.key, made.note, made.to) == (
        expected.data,
        expected.key,
        expected.note,
        expected.to,
    )


def test_many_pages_go_in_calls_below_the_limit_each_page_once_in_order() -> None:
    # Words without a zero byte cost the most.
    tree = tree_of(20_000, UNITS_LIMIT // 2**20)
    made = list(publication.publish_requests(tree, range(tree.pages), TO))
    assert len(made) > 1
    abi = Splits("Splits", TO, None).abi.function("publish")  # type: ignore[arg-type]
    told = [page.page for one in made for page in abi.arguments(one.data).pages]
    assert told == list(range(tree.pages))
    for one in made:
        assert one.gas is not None
        # EIP-7623: a node refuses a transaction whose limit is below the floor of its call data.
        assert 21_000 + 10 * publication.tokens(one.data) <= one.gas <= publication.CALL_GAS


def test_what_is_missing_goes_in_the_same_calls_when_run_again() -> None:
    tree = tree_of(40_000)
    every = list(publication.publish_requests(tree, range(tree.pages), TO))
    done = len(Splits("Splits", TO, None).abi.function("publish").arguments(every[0].data).pages)  # type: ignore[arg-type]
    again = list(publication.publish_requests(tree, range(done, tree.pages), TO))
    assert [one.key for one in again] == [one.key for one in every[1:]]


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
