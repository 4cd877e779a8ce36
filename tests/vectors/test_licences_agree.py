"""P-16: the contracts and the Python model agree on random licence histories, entry by entry and error by
error.

HISTORIES sets how many (10,000 in the long run); LEDGER_BUILD=unoptimised takes the build without the
optimiser.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "contracts"), str(HERE.parent / "domain")]

from _mini import Chain, Contract, Reverted, fold  # noqa: E402
from eth_account import Account  # noqa: E402
from strategies import (  # noqa: E402
    ARBITER,
    BUYER,
    GENESIS,
    LICENSEE,
    LICENSOR,
    LICENSOR_KEY,
    STRANGER,
    Command,
    History,
    all_pages,
    play,
    prepare,
    random_history,
)

from ledger.domain.calendar import DAY  # noqa: E402
from ledger.domain.canonical import ZERO_ADDRESS  # noqa: E402
from ledger.domain.journal import encode_entry, is_entry  # noqa: E402
from ledger.domain.licence_types import Figures  # noqa: E402
from ledger.domain.licence_views import due_of  # noqa: E402
from ledger.domain.model import Ledger  # noqa: E402
from ledger.domain.reverts import Revert  # noqa: E402

HISTORIES = int(os.environ.get("HISTORIES", "1500"))
BATCHES = 10
NO_PERMIT = (0, 0, 0, bytes(32), bytes(32))
ALLOWANCE = 2**256 - 1


class World:
    """The contracts on one chain, set back after each history."""

    def __init__(self) -> None:
        self.chain = Chain(GENESIS - 400 * DAY)
        self.splits: Contract = self.chain.deploy("Splits")
        self.catalogues: Contract = self.chain.deploy("Catalogues", self.splits.address)
        self.licences: Contract = self.chain.deploy("Licences", self.splits.address, self.catalogues.address)
        self.views: Contract = self.chain.deploy("LicenceViews", self.licences.address)
        self.dollar: Contract = self.chain.deploy("TestDollar")
        for holder in (LICENSOR, LICENSEE, ARBITER, STRANGER, BUYER):
            self.dollar.mint(holder, 2**200)
            self.dollar.approve(self.licences.address, ALLOWANCE, sender=holder)
        self.places: dict[str, Any] = {
            "splits": self.splits.address.lower(),
            "licences": self.licences.address.lower(),
            "chain_id": 1,
        }

    def at(self, time: int) -> None:
        self.chain.move(time - self.chain.time)

    def prepare(self, history: History) -> None:
        for tree in history.trees:
            pages = [(run.first_page, run.words, run.siblings) for run in all_pages(tree)]
            split = (tree.split.root, tree.split.total, tree.split.depth)
            self.splits.publish(split, pages, sender=LICENSOR)
        one = history.settings
        self.catalogues.create(
            (
                one.works_root,
                one.file_hash,
                one.arbiter,
                one.notice,
                one.dispute_window,
                one.arbiter_window,
                one.uri,
            ),
            sender=LICENSOR,
        )
        self.at(GENESIS - 300 * DAY)
        self.catalogues.announce(1, history.trees[0].id, sender=LICENSOR)

    def send(self, command: Command, terms: bytes) -> None:
        """Sends what the model's method of that name does."""
        args, sender = command.args, command.caller
        match command.name:
            case "announce":
                self.catalogues.announce(args["catalogue"], args["split_id"], sender=sender)
            case "offer":
                self.licences.offer(args["terms"].encode(), _offer(args), sender=sender)
            case "accept":
                signature = self._signature(args)
                self.licences.accept(
                    args["terms"].encode(), _offer(args), signature, NO_PERMIT, sender=sender
                )
            case "cancel_nonce":
                self.licences.cancelNonce(args["nonce"], sender=sender)
            case "report":
                self.licences.report(
                    args["licence"], terms, _figures(args["figures"]), args["pay_now"], sender=sender
                )
            case "report_many":
                many = [_figures(one) for one in args["figures"]]
                self.licences.reportMany(args["licence"], terms, many, args["pay_now"], sender=sender)
            case "book_missing":
                self.licences.bookMissing(args["licence"], terms, args["period"], sender=sender)
            case "restate" | "object":
                call = self.licences.restate if command.name == "restate" else self.licences.object
                call(args["licence"], terms, _figures(args["figures"]), sender=sender)
            case "pay":
                self.licences.pay(
                    args["licence"],
                    terms,
                    args["period"],
                    args["version"],
                    args["believed_open"],
                    args["amount"],
                    sender=sender,
                )
            case "call_arbiter":
                self.licences.callArbiter(args["licence"], terms, args["period"], sender=sender)
            case "settle":
                self.licences.settle(args["licence"], terms, args["period"], args["accepted"], sender=sender)
            case "give_notice":
                self.licences.giveNotice(args["licence"], terms, args["period"], sender=sender)
            case "terminate":
                self.licences.terminate(args["licence"], terms, sender=sender)
            case "expire":
                self.licences.expire(args["licence"], terms, sender=sender)
            case "move":
                self.licences.transferFrom(args["sender"], args["to"], args["licence"], sender=sender)
            case other:
                raise AssertionError(other)

    def _signature(self, args: dict[str, Any]) -> bytes:
        if args["signed"] is None:
            return b""
        digest = self.licences.offerIdOf(args["terms"].encode(), _offer(args)) if _good(args) else bytes(32)
        key = LICENSOR_KEY if args["signed"] else bytes(31) + b"\x01"
        return bytes(Account.unsafe_sign_hash(digest, key).signature)


def _good(args: dict[str, Any]) -> bool:
    try:
        args["terms"].check()
    except Revert:
        return False
    return True


def _offer(args: dict[str, Any]) -> tuple[int, int, str]:
    offer = args["offer"]
    return offer.nonce, offer.deadline, offer.uri


def _figures(one: Figures) -> tuple[int, int, int, int, int, bytes]:
    return one.period, one.version, one.gross, one.deductions, one.max_due, one.report_hash


@pytest.fixture(scope="module")
def world() -> World:
    """One world for all histories."""
    return World()


@pytest.mark.parametrize("batch", range(BATCHES))
def test_P_16_the_model_and_the_contracts_agree_on_histories(world: World, batch: int) -> None:
    block, time = world.chain.block, world.chain.time
    for seed in range(batch, HISTORIES, BATCHES):
        mark = world.chain.evm.snapshot()
        world.chain.logs.clear()
        world.chain.block, world.chain.time = block, time
        world.chain.move(0, 0)
        _agree(world, seed)
        world.chain.evm.revert(mark)


def _agree(world: World, seed: int) -> None:
    history = random_history(Random(seed), token=world.dollar.address.lower(), **world.places)
    model = Ledger(**world.places)
    prepare(model, history.settings, history.trees)
    world.prepare(history)
    terms = history.terms.encode()
    for step, command in enumerate(history.commands):
        where = f"seed {seed}, step {step}, {command}"
        model.pulled.clear()
        expected = play(model, command)
        assert expected == history.outcomes[step], where
        world.at(command.now)
        first = len(world.chain.logs)
        try:
            world.send(command, terms)
        except Reverted as error:
            _same_error(expected, error, where)
            continue
        assert not isinstance(expected, Revert), f"{where}: {expected!r}"
        own = "Catalogues" if command.name == "announce" else "Licences"
        for contract, entries in ((own, expected), ("Splits", model.pulled)):
            found = _logs(world, contract, first)
            made = [encode_entry(contract, one, world.chain.block, world.chain.time) for one in entries]
            assert found == [(one.topic0, one.topic1, one.data) for one in made], where
    _compare_states(world, model, history, terms, f"seed {seed}")


def _same_error(expected: object, found: Reverted, where: str) -> None:
    assert isinstance(expected, Revert), f"{where}: {found}"
    assert (found.name, found.values) == (expected.name, expected.arguments), where


def _logs(world: World, contract: str, first: int) -> list[tuple[bytes, bytes, bytes]]:
    address = getattr(world, contract.lower()).address.lower()
    return [
        (log.topics[0], log.topics[1], log.data)
        for log in world.chain.logs[first:]
        if log.address == address and is_entry(contract, log.topics)
    ]


def _compare_states(world: World, model: Ledger, history: History, terms: bytes, where: str) -> None:
    book = model.licences
    assert world.licences.count() == book.count, where
    entries = [log for log in world.chain.logs if is_entry("Licences", log.topics)]
    assert world.licences.journalHead() == fold(entries, world.licences.address), where
    for bit in range(10):
        assert tuple(world.licences.liveOf(1, bit)) == book.live_of(1, bit), where
    for (split_id, token), amount in model.splits.cumulatives.items():
        assert world.splits.cumulative(split_id, token) == amount, where
    for (account, token), amount in model.splits.accounts.items():
        assert world.splits.accountBalance(account, token) == amount, where
    if not book.count:
        return
    state = book.states[1]
    assert tuple(world.licences.stateOf(1)) == (
        state.status,
        state.accepted_at,
        state.terminated_at,
        state.next_period,
        state.open_periods,
        state.open_disputes,
        state.transferable,
        state.set_off,
        state.sum_a,
        state.sum_b,
        state.cure_until,
        state.cure_period,
    ), where
    assert world.licences.ownerOf(1) == book.holders[1], where
    for period in range(state.next_period):
        one = book.periods[1, period]
        assert tuple(world.licences.periodOf(1, period)) == (
            one.base,
            one.open,
            one.version,
            one.booked_at,
            one.interest_numerator,
            one.interest_up_to,
        ), (where, period)
        dispute = book.dispute_of(1, period)
        proposed = (
            (dispute.proposer, dispute.proposed_base, dispute.deadline, dispute.arbiter_called)
            if dispute
            else (0, 0, 0, False)
        )
        assert tuple(world.licences.disputeOf(1, period)) == proposed, (where, period)
    for period in range(max(0, state.next_period - 2), state.next_period + 2):
        _compare_dues(world, model, terms, period, where)
    assert ZERO_ADDRESS not in book.holders.values()


def _compare_dues(world: World, model: Ledger, terms: bytes, period: int, where: str) -> None:
    try:
        due = due_of(model.licences, 1, period, now=world.chain.time)
    except Revert as error:
        with pytest.raises(Reverted) as refused:
            world.views.dueOf(1, terms, period)
        _same_error(error, refused.value, where)
        return
    found = list(world.views.dueOf(1, terms, period))
    found[6] = tuple(found[6])
    assert tuple(found) == (
        due.start,
        due.end,
        due.report_by,
        due.pay_by,
        due.interest_from,
        due.base,
        due.earned_by_tier,
        due.earned,
        due.guarantee,
        due.guarantee_top_up,
        due.royalty,
        due.recouped,
        due.owed_in_all,
        due.cap_reached,
        due.open,
        due.interest,
        due.set_off,
        due.destination,
    ), (where, period)
