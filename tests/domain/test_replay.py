"""Replay: the journals of a random ledger fold and replay to the same state; any edit is caught (P-14)."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import (
    GENESIS,
    LICENSEE,
    LICENSOR,
    STRANGER,
    TOKEN,
    History,
    all_pages,
    play,
    random_history,
    random_tree,
)

from ledger.domain.canonical import ZERO32
from ledger.domain.errors import AuditFailed
from ledger.domain.journal import Entry, RawLog, decode_entry, encode_entry, fold_all
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.model import Ledger
from ledger.domain.replay import Replay
from ledger.domain.reverts import Revert
from ledger.domain.split_types import Leaf, PagePayout

seeds = st.integers(min_value=0, max_value=2**40)
relaxed = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
Logs = list[tuple[str, RawLog]]


def logs_of(history: History, ledger: Ledger) -> Logs:
    """The logs that the three contracts would emit, in the order of the chain."""
    logs: Logs = []
    block = 0

    def tell(contract: str, entry: Entry, now: int) -> None:
        logs.append((contract, encode_entry(contract, entry, block, now)))

    for tree in history.trees:
        for entry in ledger.splits.publish(LICENSOR, tree.split, all_pages(tree)):
            tell("Splits", entry, 1)
    for entry in ledger.catalogues.create(LICENSOR, history.settings):
        tell("Catalogues", entry, 1)
    start = GENESIS - 300 * 86_400
    for entry in ledger.catalogues.announce(LICENSOR, 1, history.trees[0].id, start):
        tell("Catalogues", entry, start)
    for command in history.commands:
        block += 1
        ledger.pulled.clear()
        outcome = play(ledger, command)
        if isinstance(outcome, Revert):
            continue
        if command.name == "announce":
            for entry in outcome:
                tell("Catalogues", entry, command.now)
            continue
        # Money arrives before the first entry that tells of it, and a Booked entry comes after its pull.
        pulled = list(ledger.pulled)
        for entry in outcome:
            if (
                pulled
                and entry.name in ("Accepted", "Paid", "Booked")
                and _paid_by(pulled[0], entry, outcome)
            ):
                tell("Splits", pulled.pop(0), command.now)
            tell("Licences", entry, command.now)
        assert not pulled
    return logs


def _paid_by(pull: Entry, entry: Entry, outcome: list[Entry]) -> bool:
    """Whether this entry is the first that the pull pays."""
    if entry["destination"] != pull.id:
        return False
    if entry.name != "Booked":
        return True
    following = outcome[outcome.index(entry) + 1 :][:1]
    with_interest = any(one.name == "Paid" and one["period"] == entry["period"] for one in following)
    return entry["paid"] > 0 or with_interest


def fed(logs: Logs, ledger: Ledger) -> Replay:
    replay = Replay(splits=ledger.splits.address, licences=ledger.licences.address, chain_id=31337)
    for contract, log in logs:
        replay.feed(contract, log)
    replay.finish()
    return replay


@relaxed
@given(seeds)
def test_P_14_replay_gives_the_same_state_and_the_heads_are_the_folds(seed: int) -> None:
    history = random_history(Random(seed), 60)
    ledger = Ledger()
    logs = logs_of(history, ledger)
    replay = fed(logs, ledger)
    ours, theirs = ledger.licences, replay.licences
    assert theirs.states == ours.states
    assert theirs.periods == ours.periods
    assert theirs.disputes == ours.disputes
    assert theirs.sources == ours.sources
    assert (theirs.holders, theirs.live, theirs.nonces, theirs.offers) == (
        ours.holders,
        ours.live,
        ours.nonces,
        ours.offers,
    )
    assert replay.splits.cumulatives == ledger.splits.cumulatives
    assert replay.splits.accounts == ledger.splits.accounts
    assert replay.catalogues.catalogues == ledger.catalogues.catalogues
    for contract in ("Splits", "Catalogues", "Licences"):
        own = [log for name, log in logs if name == contract]
        assert replay.heads[contract] == fold_all(own)
        assert replay.counts[contract] == len(own)


NUMBERS = {
    "Booked": ("gross", "base", "line", "cancelled", "setOff", "paid", "version", "period", "kind"),
    "Paid": ("interest", "principal", "open", "period"),
    "SetOffUsed": ("amount", "period"),
    "Objected": ("base", "deadline", "version", "proposer"),
    "ArbiterCalled": ("deadline",),
    "NoticeGiven": ("cureUntil", "period"),
    "Terminated": ("lapsed", "period"),
    "Expired": ("lapsed",),
    "Accepted": ("fee",),
    "Credited": ("amount",),
    "SplitAnnounced": ("position", "effective"),
}


#: What a caller was free to choose, so that only the head of the journal binds it.
FREE = {("Booked", "gross"), ("NoticeGiven", "period"), ("Credited", "amount")}


@relaxed
@given(seeds)
def test_P_14_an_edited_hidden_or_repeated_entry_of_licences_is_caught(seed: int) -> None:
    rng = Random(seed)
    ledger = Ledger()
    logs = logs_of(random_history(rng, 50), ledger)
    at = rng.randrange(len(logs))
    contract, log = logs[at]
    entry = decode_entry(contract, log)
    heads = fold_all(one for name, one in logs if name == contract)
    if entry.name in NUMBERS:
        name = rng.choice(NUMBERS[entry.name])
        edited = replace(entry, args={**entry.args, name: max(0, entry[name] + rng.choice((1, 2)))})
        forged = encode_entry(contract, edited, log.block_number, log.timestamp)
        changed = [*logs[:at], (contract, forged), *logs[at + 1 :]]
        assert fold_all(one for name, one in changed if name == contract) != heads
        if (entry.name, name) not in FREE:
            with pytest.raises(AuditFailed):
                fed(changed, ledger)
    for changed in (logs[:at] + logs[at + 1 :], logs[: at + 1] + logs[at:]):
        assert fold_all(one for name, one in changed if name == contract) != heads


def test_the_money_of_licences_must_have_arrived_at_splits() -> None:
    for seed in range(50):
        ledger = Ledger()
        logs = logs_of(random_history(Random(seed), 40), ledger)
        moved = [at for at, (name, log) in enumerate(logs) if name == "Splits" and log.block_number > 0]
        if moved:
            with pytest.raises(AuditFailed):
                fed(logs[: moved[0]] + logs[moved[0] + 1 :], ledger)
            doubled = logs[: moved[0] + 1] + logs[moved[0] :]
            with pytest.raises(AuditFailed):
                fed(doubled, ledger)
            return
    raise AssertionError("no history moved money")


# Splits


def payouts(seed: int) -> tuple[Ledger, Logs]:
    """A split of two pages with credits, payouts with refused payees, claims, leaves taken out and put
    back.
    """
    rng = Random(seed)
    ledger = Ledger()
    book = ledger.splits
    tree = random_tree(rng, rng.choice((1, 3, 130)))
    logs: Logs = []

    def leaf(index: int) -> Leaf:
        return Leaf(tree.split, TOKEN, index, tree.leaf(index), tree.leaf_proof(index))

    def do(entries: list[Entry]) -> None:
        logs.extend(("Splits", encode_entry("Splits", entry, len(logs), 7)) for entry in entries)

    do(book.publish(STRANGER, tree.split, all_pages(tree)))
    for _ in range(25):
        index = rng.randrange(tree.leaves)
        payee = "0x" + tree.leaf(index)[:20].hex()
        page = rng.randrange(tree.pages)
        payout = PagePayout(page, rng.getrandbits(128), tree.page_words(page), tree.page_proof(page))
        do(book.credit(LICENSEE, tree.id, TOKEN, rng.randrange(1, 10**12)))
        call = rng.randrange(7)
        try:
            if call == 0:
                do(book.claim(STRANGER, [leaf(index)]))
            elif call == 1:
                do(book.claim_to(payee, [leaf(index)], STRANGER))
            elif call == 2:
                nonce = book.nonces.get(payee, 0)
                do(
                    book.claim_by_signature(
                        STRANGER, [leaf(index)], payee=payee, to=LICENSEE, nonce=nonce, deadline=9, now=9
                    )
                )
            elif call == 3:
                do(book.place_leaves(payee, [leaf(index)], out=rng.random() < 0.6))
            elif call == 4:
                do(book.set_standing_address(payee, LICENSEE))
                do(book.fund_account(LICENSEE, STRANGER, ZERO32, TOKEN, 50))
                do(book.move_account(STRANGER, ZERO32, TOKEN, tree.id, 20))
            else:
                do(
                    book.pay_pages(
                        STRANGER, tree.split, TOKEN, [payout], transfer=lambda *_: rng.random() < 0.9
                    )
                )
        except Revert as error:
            assert error.name == "Splits_NothingPaid"  # noqa: PT017
    return ledger, logs


@relaxed
@given(seeds)
def test_P_14_payouts_replay(seed: int) -> None:
    ledger, logs = payouts(seed)
    replay = fed(logs, ledger)
    assert replay.splits.page_states == ledger.splits.page_states
    assert replay.splits.checkpoints == ledger.splits.checkpoints
    assert replay.splits.paid == ledger.splits.paid
    assert replay.splits.standing == ledger.splits.standing
    assert replay.splits.nonces == ledger.splits.nonces
    assert replay.splits.accounts == ledger.splits.accounts
    assert not replay.unproved


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("PagePaid", "paid"),
        ("PagePaid", "cumulative"),
        ("PagePaid", "page"),
        ("Claimed", "paid"),
        ("Claimed", "cumulative"),
        ("Claimed", "index"),
        ("LeafPlaced", "checkpoint"),
        ("AccountMoved", "amount"),
        ("ClaimNonceUsed", "nonce"),
        ("PagePublished", "total"),
        ("PagePublished", "depth"),
    ],
)
def test_edited_entries_of_splits_are_caught(name: str, field: str) -> None:
    for seed in range(200):
        ledger, logs = payouts(seed)
        places = [at for at, (_, log) in enumerate(logs) if decode_entry("Splits", log).name == name]
        if not places:
            continue
        log = logs[places[0]][1]
        entry = decode_entry("Splits", log)
        more = 10**30 if field == "amount" else 1
        edited = replace(entry, args={**entry.args, field: entry[field] + more})
        forged = encode_entry("Splits", edited, log.block_number, log.timestamp)
        with pytest.raises(AuditFailed):
            fed([*logs[: places[0]], ("Splits", forged), *logs[places[0] + 1 :]], ledger)
        return
    raise AssertionError(f"no {name}")


def test_payouts_of_unpublished_splits_are_told_apart() -> None:
    ledger = Ledger()
    tree = random_tree(Random(1), 3)
    book = ledger.splits
    payout = PagePayout(0, 0, tree.page_words(0), tree.page_proof(0))
    entries = book.credit_by_callback(STRANGER, tree.id, TOKEN, 10**6)
    entries += book.pay_pages(
        STRANGER, tree.split, TOKEN, [payout], transfer=lambda *one: one[1] != _payee(tree, 1)
    )
    entries += book.claim(STRANGER, [Leaf(tree.split, TOKEN, 1, tree.leaf(1), tree.leaf_proof(1))])
    replay = fed([("Splits", encode_entry("Splits", entry, 1, 1)) for entry in entries], ledger)
    assert [one.name for one in replay.unproved] == ["PagePaid", "Claimed"]
    assert replay.splits.page_states == book.page_states
    assert replay.splits.checkpoints == book.checkpoints
    assert replay.splits.paid == book.paid


def _payee(tree: MerkleSumTree, index: int) -> str:
    return "0x" + tree.leaf(index)[:20].hex()


def test_the_root_of_a_published_split_is_recomputed() -> None:
    ledger, logs = payouts(2)
    entry = decode_entry("Splits", logs[0][1])
    words = list(entry["words"])
    words[0] = words[0][:31] + bytes([words[0][31] ^ 1])
    forged = encode_entry("Splits", replace(entry, args={**entry.args, "words": tuple(words)}), 0, 7)
    with pytest.raises(AuditFailed):
        fed([("Splits", forged), *logs[1:]], ledger)


def test_an_early_end_is_caught() -> None:
    for seed in range(300):
        ledger = Ledger()
        logs = logs_of(random_history(Random(seed), 40), ledger)
        names = [decode_entry(name, log).name for name, log in logs]
        if "Cured" in names:
            with pytest.raises(AuditFailed):
                fed(logs[: names.index("Cured")], ledger)
            return
    raise AssertionError("no history was cured")
