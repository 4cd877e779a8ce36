"""Publication by runs of pages: the same pages as one by one, for less, and every way to cheat with a run refused."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from _mini import Reverted, keccak
from _splits import MIN_GAS, OWNER, STRANGER, Ledger, refused, run_args, run_of, split_args, tree_of

from ledger.domain.merkle_sum import PAGE_SIZE, MerkleSumTree, Split, leaf_word
from ledger.domain.split_types import Run

MAX = 2**256 - 1


@pytest.fixture
def ledger() -> Ledger:
    return Ledger()


@pytest.fixture
def tree() -> MerkleSumTree:
    """Eight pages, the last of which has 88 words of padding."""
    return tree_of(range(1, 937))


def node_of(words: Sequence[bytes]) -> tuple[bytes, int]:
    """Hash and sum of the node above words that a cheat chose, whatever they are."""
    nodes = [(one, int.from_bytes(one[20:], "big")) for one in words]
    leaves = True
    while len(nodes) > 1:
        pairs = [(nodes[i], nodes[i + 1]) for i in range(0, len(nodes), 2)]
        nodes = [(keccak(a + b if leaves else a + word(x) + b + word(y)), x + y) for (a, x), (b, y) in pairs]
        leaves = False
    return nodes[0]


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


def publish(ledger: Ledger, split: Split, *runs: Run) -> None:
    ledger.publish_runs(split, runs)


def told(ledger: Ledger) -> list[tuple[int, list[bytes]]]:
    """Page and words of each entry."""
    return [(values[4], list(values[5])) for _, values in ledger.splits.events("PagePublished")]


def test_a_run_publishes_each_of_its_pages_as_if_alone(ledger: Ledger, tree: MerkleSumTree) -> None:
    """P-14: one entry a page, with the same fields; so the replay knows nothing of runs."""
    for first, pages in ((4, 4), (0, 2), (3, 1), (2, 1)):
        publish(ledger, tree.split, run_of(tree, first, pages))
    by_runs = sorted(told(ledger))
    alone = Ledger()
    alone.published(tree)
    assert by_runs == sorted(told(alone))
    assert [len(words) for _, words in by_runs] == [128] * 7 + [40]
    assert ledger.splits.isPublished(tree.id)
    assert ledger.splits.publication(tree.id) == (8, 8)


def test_the_whole_split_is_one_run_without_a_proof(ledger: Ledger, tree: MerkleSumTree) -> None:
    run = run_of(tree, 0, 8)
    assert (len(run.words), list(run.siblings)) == (1024, [])
    publish(ledger, tree.split, run)
    assert ledger.splits.isPublished(tree.id)


def test_p05_a_page_repeated_is_passed_over(ledger: Ledger, tree: MerkleSumTree) -> None:
    """P-05: alone, in a run around it, in the same run again, in the same call."""
    publish(ledger, tree.split, run_of(tree, 5))
    publish(ledger, tree.split, run_of(tree, 4, 2))
    assert [page for page, _ in told(ledger)] == [5, 4]
    publish(ledger, tree.split, run_of(tree, 4, 2), run_of(tree, 4, 4), run_of(tree, 7), run_of(tree, 4, 4))
    assert [page for page, _ in told(ledger)] == [5, 4, 6, 7]
    publish(ledger, tree.split, run_of(tree, 0, 8), run_of(tree, 0, 8))
    assert [page for page, _ in told(ledger)] == [5, 4, 6, 7, 0, 1, 2, 3]
    assert ledger.splits.publication(tree.id) == (8, 8)


def test_p05_a_run_of_published_pages_changes_nothing(ledger: Ledger, tree: MerkleSumTree) -> None:
    ledger.published(tree)
    head = ledger.chain.storage(ledger.address, 0)
    publish(ledger, tree.split, run_of(tree, 0, 8))
    assert ledger.chain.storage(ledger.address, 0) == head


def test_p11_a_misaligned_run_is_refused(ledger: Ledger, tree: MerkleSumTree) -> None:
    """Pages 0 and 1 must not be published as 1 and 2: no proof tells the low bits of the first page."""
    for pages in (2, 4, 8):
        true = run_of(tree, 0, pages)
        for first in range(1, pages):
            false = Run(first, true.words, true.siblings)
            refused(
                lambda false=false: publish(ledger, tree.split, false), "Splits_RunMisplaced", first, pages
            )
    # Two true neighbours that do not share a node, with the proof of either's node.
    words = [*tree.page_words(1), *tree.page_words(2)]
    for first in (0, 2):
        false = Run(1, words, tree.page_proof(first, 2))
        refused(lambda false=false: publish(ledger, tree.split, false), "Splits_RunMisplaced", 1, 2)
        false = Run(first, words, tree.page_proof(first, 2))
        with pytest.raises(Reverted, match=r"Splits_(ProofMismatch|SumAboveTotal)"):
            publish(ledger, tree.split, false)


def test_p11_a_run_past_the_end_is_refused(ledger: Ledger, tree: MerkleSumTree) -> None:
    true = run_of(tree, 6, 2)
    for first in (8, 9, 14, 1 << 25, (1 << 25) + 6, 1 << 249, (1 << 249) + 6, MAX):
        false = Run(first, true.words, true.siblings)
        refused(lambda false=false: publish(ledger, tree.split, false), "Splits_PageOutOfRange", first, 8)
    # One that begins within the split and would end behind it.
    false = Run(7, true.words, true.siblings)
    refused(lambda: publish(ledger, tree.split, false), "Splits_RunMisplaced", 7, 2)
    for first in (0, 4, 8):
        words = [*tree.page_words(0, 8), *tree.page_words(0, 8)]
        name = "Splits_PageOutOfRange" if first == 8 else "Splits_WrongWordCount"
        refused(lambda first=first, words=words: publish(ledger, tree.split, Run(first, words, [])), name)


def test_p11_a_run_has_exactly_the_words_of_its_pages(ledger: Ledger, tree: MerkleSumTree) -> None:
    """Neither three pages nor a word more or less, in front or behind, padding or not."""
    true = run_of(tree, 4, 4)
    words, thief = list(true.words), leaf_word(STRANGER, 2**90)
    for wrong, expected in (
        (words[:-1], 512),
        (words[1:], 512),
        (words[:-128], 512),
        (words[:257], 512),
        (words[:255], 256),
        (words[:129], 256),
        (words[:127], 128),
        (words[:64], 128),
        ([], 128),
        ([*words, thief], 1024),
        ([thief, *words], 1024),
        ([*words, bytes(32)], 1024),
        ([*words, *words[:128]], 1024),
        ([*words, *words, *words], 1024),
    ):
        false = Run(4, wrong, true.siblings)
        refused(
            lambda false=false: publish(ledger, tree.split, false),
            "Splits_WrongWordCount",
            len(wrong),
            expected,
        )


@pytest.mark.parametrize("leaves", [1, 2, 5, 64, 65, 128])
def test_p11_a_split_of_one_page_has_no_run_of_two(ledger: Ledger, leaves: int) -> None:
    tree = tree_of([3] * leaves)
    words, size = tree.page_words(0), 1 << tree.depth
    for wrong in ([*words, *words], [*words, *[bytes(32)] * 128], [*words, *words] * 2):
        false = Run(0, wrong, [])
        refused(
            lambda false=false: publish(ledger, tree.split, false), "Splits_WrongWordCount", len(wrong), size
        )
    publish(ledger, tree.split, run_of(tree, 0))


def test_p11_a_run_has_the_proof_of_its_own_node(ledger: Ledger, tree: MerkleSumTree) -> None:
    """Not that of one of its pages with words of two, nor that of a larger run."""
    for first, pages in ((2, 2), (4, 4), (0, 8)):
        true = run_of(tree, first, pages)
        expected = len(true.siblings)
        for siblings in (
            tree.page_proof(first),
            tree.page_proof(first + 1),
            [*true.siblings, bytes(32)],
            [*true.siblings, bytes(32), bytes(32)],
            [bytes(32), bytes(32), *true.siblings],
            *([true.siblings[:-1], true.siblings[2:], []] if expected else []),
        ):
            false = Run(first, true.words, siblings)
            refused(
                lambda false=false: publish(ledger, tree.split, false),
                "Splits_WrongProofLength",
                len(siblings),
                expected,
            )


def test_p11_a_page_has_not_the_proof_of_its_run(ledger: Ledger, tree: MerkleSumTree) -> None:
    words = tree.page_words(2)
    false = Run(2, words, tree.page_proof(2, 2))
    refused(lambda: publish(ledger, tree.split, false), "Splits_WrongProofLength", 4, 6)
    # A page in the place of its run's node: a split read as shallower does not open.
    shallow = Split(tree.split.root, tree.split.total, 9)
    refused(
        lambda: publish(ledger, shallow, Run(1, words, tree.page_proof(2, 2))),
        "Splits_ProofMismatch",
        shallow.id,
    )


def test_p11_a_run_stands_in_its_own_place_only(ledger: Ledger, tree: MerkleSumTree) -> None:
    for first in (0, 2, 4, 6):
        true = run_of(tree, first, 2)
        for other in {0, 2, 4, 6} - {first}:
            for siblings in (true.siblings, tree.page_proof(other, 2)):
                false = Run(other, true.words, siblings)
                with pytest.raises(Reverted) as caught:
                    publish(ledger, tree.split, false)
                assert caught.value.name in ("Splits_ProofMismatch", "Splits_SumAboveTotal")
    swapped = [*tree.page_words(5), *tree.page_words(4)]
    refused(
        lambda: publish(ledger, tree.split, Run(4, swapped, tree.page_proof(4, 2))),
        "Splits_ProofMismatch",
        tree.id,
    )


def test_p11_every_word_of_a_run_is_hashed(ledger: Ledger, tree: MerkleSumTree) -> None:
    """A unit more, a unit less, another payee, a word of padding, in every page of the run."""
    true = run_of(tree, 4, 4)
    places = [0, 127, 128, 129, 255, 256, 383, 384, 423, 424, 511]
    for place in places:
        for changed in (word(0), leaf_word(STRANGER, 1), true.words[place][:-1] + b"\xee"):
            if changed == true.words[place]:
                continue
            words = [*true.words[:place], changed, *true.words[place + 1 :]]
            with pytest.raises(Reverted) as caught:
                publish(ledger, tree.split, Run(4, words, true.siblings))
            assert caught.value.name in ("Splits_ProofMismatch", "Splits_SumAboveTotal")
    assert not told(ledger)


def test_p11_a_run_whose_inner_sums_are_above_the_total_is_refused(ledger: Ledger) -> None:
    """Each page below the total, both together above it; and units that only a sibling's wrapping sum takes away."""
    words = [leaf_word(f"0x{place + 1:040x}", 2**90) for place in range(256)]
    node, units = node_of(words)
    assert units == 2**98
    split = Split(node, units - 1, 8)
    refused(lambda: publish(ledger, split, Run(0, words, [])), "Splits_SumAboveTotal", units, units - 1)
    for fake in (MAX - units + 1 + 10, MAX, 2**128, 11):
        root = keccak(node + word(units) + bytes(32) + word(fake))
        split = Split(root, 10, 9)
        run = Run(0, words, [bytes(32), word(fake)])
        refused(lambda split=split, run=run: publish(ledger, split, run), "Splits_SumAboveTotal", units, 10)
    # The sibling's sum alone, then the running one.
    for total, fault in ((units + 5, 2**200), (units + 5, units + 5), (units + 5, 6)):
        root = keccak(node + word(units) + bytes(32) + word(fault))
        split = Split(root, total, 9)
        run = Run(0, words, [bytes(32), word(fault)])
        told_ = fault if fault > total else units + fault
        refused(
            lambda split=split, run=run: publish(ledger, split, run), "Splits_SumAboveTotal", told_, total
        )


def test_p11_a_run_has_the_units_of_its_split(ledger: Ledger) -> None:
    """Hashes that fit do not do: the whole split in one run has exactly its total."""
    tree = tree_of(range(1, 300))
    more = Split(tree.split.root, tree.split.total + 1, tree.depth)
    refused(lambda: publish(ledger, more, run_of(tree, 0, 4)), "Splits_ProofMismatch", more.id)


@pytest.mark.parametrize("fault", ["payee without units", "units without payee", "Splits itself"])
@pytest.mark.parametrize("place", [128, 200, 255, 256, 383])
def test_p11_a_bad_leaf_in_a_later_page_of_a_run_is_refused(ledger: Ledger, fault: str, place: int) -> None:
    """Nothing of the run is published, its good first page neither; alone that page may be."""
    words = [leaf_word(f"0x{at + 2**100:040x}", 5) for at in range(512)]
    words[place] = {
        "payee without units": leaf_word(STRANGER, 0),
        "units without payee": bytes(20) + (5).to_bytes(12, "big"),
        "Splits itself": leaf_word(ledger.address, 5),
    }[fault]
    node, units = node_of(words)
    split = Split(node, units, 9)
    name = "Splits_PayeeIsSplits" if fault == "Splits itself" else "Splits_BadLeaf"
    value = place % PAGE_SIZE if fault == "Splits itself" else words[place]
    refused(lambda: publish(ledger, split, Run(0, words, [])), name, value)
    assert ledger.splits.publication(split.id) == (0, 0)
    assert not told(ledger)


def test_p11_padding_between_the_words_of_a_run_is_hashed_and_told(ledger: Ledger) -> None:
    """In trees of others padding may stand anywhere: a whole page of it, the middle of one, the whole end of a run."""
    rng = random.Random(16)
    for kind in range(6):
        words = [leaf_word(f"0x{at + 2**100 + kind:040x}", rng.randrange(1, 2**96)) for at in range(1024)]
        for first, last in ((128, 256), (300, 700), (0, 128), (1, 1024), (520, 1024), (0, 1023)):
            if rng.random() < 0.4:
                words[first:last] = [bytes(32)] * (last - first)
        if not any(map(any, words)):
            words[1000] = leaf_word(STRANGER, 1 + kind)
        node, units = node_of(words)
        before = len(told(ledger))
        publish(ledger, Split(node, units, 10), Run(0, words, []))
        new = told(ledger)[before:]
        assert [page for page, _ in new] == list(range(8))
        for page, used in new:
            assert [*used, *[bytes(32)] * (128 - len(used))] == words[128 * page : 128 * page + 128]
            assert not used or any(used[-1])


def test_p11_a_run_is_no_page_to_be_paid(ledger: Ledger, tree: MerkleSumTree) -> None:
    """A payout takes one page: its bitmap has a place for 128 leaves."""
    ledger.published(tree)
    token = ledger.token()
    ledger.credit(tree, token, 1_000_000)
    run = run_of(tree, 4, 2)
    payout = (4, 0, list(run.words), list(run.siblings))
    refused(
        lambda: ledger.splits.payPages(split_args(tree.split), token.address, MIN_GAS, [payout]),
        "Splits_WrongWordCount",
        256,
        128,
    )


def test_p11_one_bad_run_takes_the_call_with_it(ledger: Ledger, tree: MerkleSumTree) -> None:
    good, true = run_of(tree, 0, 4), run_of(tree, 4, 2)
    bad = Run(6, true.words, true.siblings)
    with pytest.raises(Reverted):
        publish(ledger, tree.split, good, bad)
    assert ledger.splits.publication(tree.id) == (0, 0)


def test_p15_a_run_costs_less_than_its_pages_and_memory_does_not_grow_with_it(ledger: Ledger) -> None:
    """P-15: execution, without the price of call data: a page of a run takes no more than a page alone."""
    tree = tree_of([2**60 + i for i in range(32 * 128)])
    ledger.publish(tree, [0])
    costs = []
    for first, pages in ((1, 1), (2, 2), (8, 8), (16, 16)):
        args = [run_args(run_of(tree, first, pages))]
        ledger.splits.publish(split_args(tree.split), args, sender=OWNER)
        data = ledger.splits.data("publish", split_args(tree.split), args)
        intrinsic = 21_000 + sum(4 if byte == 0 else 16 for byte in data)
        costs.append((int(ledger.chain.evm.result.gas_used) - intrinsic) / pages)
    assert costs == sorted(costs, reverse=True)
