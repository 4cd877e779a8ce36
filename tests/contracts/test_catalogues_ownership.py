"""Catalogues: ownership in two steps, the journal, the guard against reentrancy."""

from __future__ import annotations

import random
from functools import partial

import pytest
from _catalogues import ARBITER, NEXT, OTHER, OWNER, ZERO, World, refused_with, settings
from _mini import Chain, Contract, Reverted, fold, keccak


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def catalogues(world: World) -> Contract:
    return world.catalogues


def test_ownership_moves_in_two_steps(world: World, catalogues: Contract) -> None:
    number = world.create()
    catalogues.offerOwnership(number, NEXT, sender=OWNER)
    assert (catalogues.ownerOf(number), catalogues.pendingOwnerOf(number)) == (OWNER, NEXT)
    world.announce(number)
    refused_with(
        lambda: catalogues.announce(number, world.published(), sender=NEXT),
        "Catalogues_NotOwner",
        number,
        NEXT,
    )
    catalogues.acceptOwnership(number, sender=NEXT)
    assert (catalogues.ownerOf(number), catalogues.pendingOwnerOf(number)) == (NEXT, ZERO)
    assert [*catalogues.events("OwnershipOffered")] == [(number.to_bytes(32, "big"), (OWNER, NEXT))]
    assert [*catalogues.events("OwnershipMoved")] == [(number.to_bytes(32, "big"), (NEXT, OWNER))]


def test_powers_follow_the_owner(world: World, catalogues: Contract) -> None:
    number = world.create()
    first, _ = world.announce(number)
    catalogues.offerOwnership(number, NEXT, sender=OWNER)
    catalogues.acceptOwnership(number, sender=NEXT)
    published = world.published()
    split, pages = world.split()
    for call in (
        lambda: catalogues.announce(number, published, sender=OWNER),
        lambda: catalogues.publishAndAnnounce(number, split, pages, sender=OWNER),
        lambda: catalogues.replaceManifest(number, keccak(b"a"), keccak(b"b"), "", sender=OWNER),
        lambda: catalogues.offerOwnership(number, OWNER, sender=OWNER),
    ):
        refused_with(call, "Catalogues_NotOwner", number, OWNER)
    assert catalogues.ownerAndSplit(number) == (NEXT, first)
    catalogues.announce(number, published, sender=NEXT)
    catalogues.replaceManifest(number, keccak(b"a"), keccak(b"b"), "", sender=NEXT)
    assert catalogues.splitCount(number) == 2


def test_only_the_named_successor_takes_over(world: World, catalogues: Contract) -> None:
    number, other = world.create(), world.create()
    refused_with(
        lambda: catalogues.acceptOwnership(number, sender=NEXT), "Catalogues_NotPendingOwner", number, NEXT
    )
    refused_with(
        lambda: catalogues.acceptOwnership(number, sender=OWNER), "Catalogues_NotPendingOwner", number, OWNER
    )
    catalogues.offerOwnership(number, NEXT, sender=OWNER)
    for sender in (OTHER, OWNER, ARBITER):
        refused_with(
            partial(catalogues.acceptOwnership, number, sender=sender),
            "Catalogues_NotPendingOwner",
            number,
            sender,
        )
    refused_with(
        lambda: catalogues.acceptOwnership(other, sender=NEXT), "Catalogues_NotPendingOwner", other, NEXT
    )
    catalogues.acceptOwnership(number, sender=NEXT)
    refused_with(
        lambda: catalogues.acceptOwnership(number, sender=NEXT), "Catalogues_NotPendingOwner", number, NEXT
    )
    assert catalogues.ownerOf(other) == OWNER


def test_a_nomination_can_be_changed_and_taken_back(world: World, catalogues: Contract) -> None:
    number = world.create()
    catalogues.offerOwnership(number, OTHER, sender=OWNER)
    catalogues.offerOwnership(number, NEXT, sender=OWNER)
    refused_with(
        lambda: catalogues.acceptOwnership(number, sender=OTHER), "Catalogues_NotPendingOwner", number, OTHER
    )
    catalogues.offerOwnership(number, ZERO, sender=OWNER)
    assert catalogues.pendingOwnerOf(number) == ZERO
    refused_with(
        lambda: catalogues.acceptOwnership(number, sender=NEXT), "Catalogues_NotPendingOwner", number, NEXT
    )
    assert catalogues.ownerOf(number) == OWNER


def test_only_the_owner_offers(world: World, catalogues: Contract) -> None:
    number = world.create()
    for sender in (OTHER, NEXT, ARBITER):
        refused_with(
            partial(catalogues.offerOwnership, number, sender, sender=sender),
            "Catalogues_NotOwner",
            number,
            sender,
        )
    refused_with(lambda: catalogues.offerOwnership(9, NEXT, sender=OWNER), "Catalogues_Unknown", 9)
    refused_with(lambda: catalogues.acceptOwnership(9, sender=ZERO), "Catalogues_Unknown", 9)


def test_p07_a_new_owner_changes_no_split_that_was_in_force(world: World, catalogues: Contract) -> None:
    number = world.create()
    split, start = world.announce(number)
    world.chain.move(1000)
    catalogues.offerOwnership(number, NEXT, sender=OWNER)
    catalogues.acceptOwnership(number, sender=NEXT)
    catalogues.announce(number, world.published(), sender=NEXT)
    assert {bytes(catalogues.splitAt(number, time)) for time in range(start, world.chain.time + 1, 100)} == {
        split
    }


def test_p14_the_journal_head_is_the_fold_of_the_raw_logs(world: World, catalogues: Contract) -> None:
    """Random changes, several in a block; after each the head equals the fold, and lies in slot 0."""
    chance = random.Random(14)
    chain = world.chain
    assert bytes(catalogues.journalHead()) == bytes(32)
    numbers = [world.create(chance.choice([0, 5, 1000])) for _ in range(3)]
    for turn in range(120):
        number = chance.choice(numbers)
        owner = catalogues.ownerOf(number)
        before = bytes(catalogues.journalHead())
        match chance.randrange(6):
            case 0:
                numbers.append(catalogues.create(settings(uri="u" * turn), sender=OTHER))
            case 1:
                catalogues.replaceManifest(
                    number, keccak(b"%d" % turn), keccak(b"f"), "x" * (turn % 40), sender=owner
                )
            case 2:
                catalogues.announce(number, world.published(), sender=owner)
            case 3:
                split, pages = world.split(1 + turn % 5)
                catalogues.publishAndAnnounce(number, split, pages, sender=owner)
            case 4:
                catalogues.offerOwnership(number, chance.choice([NEXT, OWNER]), sender=owner)
                catalogues.acceptOwnership(number, sender=catalogues.pendingOwnerOf(number))
            case _:
                catalogues.offerOwnership(number, ZERO, sender=owner)
        head = bytes(catalogues.journalHead())
        assert head == fold(chain.logs, catalogues.address) != before
        assert chain.storage(catalogues.address, 0) == int.from_bytes(head, "big")
        if chance.randrange(2):
            chain.move(chance.choice([0, 1, 700]), blocks=chance.choice([1, 3]))
    logs = [log for log in chain.logs if log.address == catalogues.address]
    assert all(len(log.topics) == 2 for log in logs)
    # Hiding, editing or swapping one entry, or its block, changes the head.
    whole = fold(logs, catalogues.address)
    for index in range(0, len(logs) - 1, 7):
        swapped = [*logs[:index], logs[index + 1], logs[index], *logs[index + 2 :]]
        for forged in ([*logs[:index], *logs[index + 1 :]], swapped):
            assert fold(forged, catalogues.address) != whole


def test_p14_every_entry_names_its_caller(world: World, catalogues: Contract) -> None:
    number = world.create()
    world.announce(number)
    catalogues.offerOwnership(number, NEXT, sender=OWNER)
    catalogues.acceptOwnership(number, sender=NEXT)
    callers = ["0x" + log.data[12:32].hex() for log in world.chain.logs if log.address == catalogues.address]
    assert callers == [OWNER, OWNER, OWNER, NEXT]


def test_a_refused_call_leaves_no_entry(world: World, catalogues: Contract) -> None:
    number = world.create()
    head = catalogues.journalHead()
    with pytest.raises(Reverted):
        catalogues.announce(number, keccak(b"unpublished"), sender=OWNER)
    with pytest.raises(Reverted):
        catalogues.replaceManifest(number, keccak(b"a"), bytes(32), "", sender=OWNER)
    assert catalogues.journalHead() == head


def test_nothing_can_be_changed_from_within_a_publication() -> None:
    """Beneath a Splits that calls back, every state-changing function is shut; the head loses no update."""
    chain = Chain()
    fake = chain.deploy("ReenteringSplits")
    catalogues = chain.deploy("Catalogues", fake.address)
    number = fake.execute(catalogues.address, catalogues.data("create", settings()))
    number = int.from_bytes(number, "big")
    split = (keccak(b"root"), 5, 0)
    pages: list[tuple[int, list[bytes], list[bytes]]] = [(0, [], [])]
    calls = [
        catalogues.data("create", settings()),
        catalogues.data("replaceManifest", number, keccak(b"a"), keccak(b"b"), ""),
        catalogues.data("announce", number, keccak(b"id")),
        catalogues.data("publishAndAnnounce", number, split, pages),
        catalogues.data("offerOwnership", number, NEXT),
        catalogues.data("acceptOwnership", number),
    ]
    state_changing = [entry for entry in catalogues.abi if entry.get("stateMutability") == "nonpayable"]
    assert len(calls) == len([entry for entry in state_changing if entry["type"] == "function"])
    for turn, data in enumerate(calls):
        fake.arm(catalogues.address, data, 1, False)
        fake.execute(catalogues.address, catalogues.data("publishAndAnnounce", number, split, pages))
        assert fake.reactions() == turn + 1
        assert not fake.lastSuccess()
        assert bytes(fake.lastReturned()) == keccak(b"ReentrancyGuardReentrantCall()")[:4]
        assert bytes(catalogues.journalHead()) == fold(chain.logs, catalogues.address)
        chain.move(31 * 86_400)
    assert catalogues.splitCount(number) == len(calls)
