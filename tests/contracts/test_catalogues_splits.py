"""Catalogues: announcing splits, the notice and its edges, the split in force at a time."""

from __future__ import annotations

import bisect
import random
from collections.abc import Callable

import pytest
from _catalogues import DAY, OTHER, OWNER, World, refused_with
from _mini import Contract, Reverted, account, keccak, leaf, split_id, tree

NOTICE = 30 * DAY


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def catalogues(world: World) -> Contract:
    return world.catalogues


class Model:
    """The dated list of splits as a plain Python list."""

    def __init__(self, notice: int) -> None:
        self.notice = notice
        self.ids: list[bytes] = []
        self.times: list[int] = []

    def announce(self, split: bytes, now: int) -> tuple[int, int]:
        """Position and effective time."""
        if not self.ids:
            effective = now
        else:
            effective = now + max(self.notice, 1)
            if self.times[-1] > now:
                self.ids.pop()
                self.times.pop()
        self.ids.append(split)
        self.times.append(effective)
        return len(self.ids) - 1, effective

    def at(self, time: int) -> bytes | None:
        """The split in force."""
        position = bisect.bisect_right(self.times, time)
        return self.ids[position - 1] if position else None


def split_at(catalogues: Contract, number: int, time: int) -> bytes | None:
    """What the contract answers; nothing where it says that no split is in force."""
    try:
        return bytes(catalogues.splitAt(number, time))
    except Reverted as reverted:
        if (reverted.name, reverted.values) != ("Catalogues_NoSplitAt", (number, time)):
            raise
        return None


def test_the_first_split_takes_effect_at_once(world: World, catalogues: Contract) -> None:
    number = world.create(NOTICE)
    now = world.chain.time
    assert split_at(catalogues, number, now) is None
    assert split_at(catalogues, number, 2**256 - 1) is None
    split, effective = world.announce(number)
    assert effective == now
    assert split_at(catalogues, number, now - 1) is None
    assert split_at(catalogues, number, 0) is None
    assert split_at(catalogues, number, now) == split
    assert split_at(catalogues, number, 2**256 - 1) == split
    assert catalogues.ownerAndSplit(number) == (OWNER, split)
    [(topic, data)] = catalogues.events("SplitAnnounced")
    assert topic == number.to_bytes(32, "big")
    assert data == (OWNER, 0, split, now)


def test_owner_and_split_reverts_before_the_first_split(world: World, catalogues: Contract) -> None:
    number = world.create()
    with pytest.raises(Reverted) as refused:
        catalogues.ownerAndSplit(number)
    assert (refused.value.name, refused.value.values) == ("Catalogues_NoSplitAt", (number, world.chain.time))


def test_a_later_split_takes_effect_exactly_at_the_end_of_the_notice(
    world: World, catalogues: Contract
) -> None:
    number = world.create(NOTICE)
    first, _ = world.announce(number)
    world.chain.move(100)
    second, effective = world.announce(number)
    assert effective == world.chain.time + NOTICE
    assert catalogues.splitCount(number) == 2
    assert split_at(catalogues, number, effective - 1) == first
    assert split_at(catalogues, number, effective) == second
    world.chain.move(NOTICE - 1)
    assert catalogues.ownerAndSplit(number) == (OWNER, first)
    world.chain.move(1)
    assert catalogues.ownerAndSplit(number) == (OWNER, second)


def test_p07_a_pending_split_is_replaced_and_its_notice_restarts(world: World, catalogues: Contract) -> None:
    number = world.create(NOTICE)
    first, start = world.announce(number)
    dropped, before = world.announce(number)
    world.chain.move(NOTICE - 1)
    second, effective = world.announce(number)
    assert effective == world.chain.time + NOTICE > before
    assert catalogues.splitCount(number) == 2
    assert catalogues.splitByPosition(number, 0) == (first, start)
    assert catalogues.splitByPosition(number, 1) == (second, effective)
    assert split_at(catalogues, number, before) == first
    assert split_at(catalogues, number, effective - 1) == first
    assert split_at(catalogues, number, effective) == second
    assert dropped not in {split_at(catalogues, number, time) for time in (start, before, effective, 2**40)}
    assert [data[1:] for _, data in catalogues.events("SplitAnnounced")] == [
        (0, first, start),
        (1, dropped, before),
        (1, second, effective),
    ]


@pytest.mark.parametrize(("early", "positions"), [(1, 2), (0, 3)])
def test_pending_ends_exactly_when_the_split_takes_effect(world: World, early: int, positions: int) -> None:
    number = world.create(NOTICE)
    world.announce(number)
    second, effective = world.announce(number)
    world.chain.move(NOTICE - early)
    world.announce(number)
    assert world.catalogues.splitCount(number) == positions
    assert (split_at(world.catalogues, number, effective) == second) == (early == 0)


def test_the_same_split_may_be_announced_again(world: World, catalogues: Contract) -> None:
    number = world.create(NOTICE)
    first, _ = world.announce(number)
    world.announce(number)
    world.chain.move(NOTICE)
    again, effective = world.announce(number, first)
    assert again == first
    assert split_at(catalogues, number, effective) == first
    assert catalogues.splitCount(number) == 3


def test_a_notice_of_zero_takes_one_second(world: World, catalogues: Contract) -> None:
    number = world.create(notice=0)
    first, now = world.announce(number)
    second, effective = world.announce(number)
    assert effective == now + 1
    assert split_at(catalogues, number, now) == first
    third, replaced = world.announce(number)
    assert replaced == effective
    assert catalogues.splitCount(number) == 2
    assert split_at(catalogues, number, now) == first
    assert split_at(catalogues, number, effective) == third != second


def test_the_longest_notice_fits(world: World, catalogues: Contract) -> None:
    number = world.create(notice=3650 * DAY)
    world.announce(number)
    _, effective = world.announce(number)
    assert effective == world.chain.time + 3650 * DAY
    assert catalogues.splitByPosition(number, 1)[1] == effective


def test_positions_past_the_end_are_refused(world: World, catalogues: Contract) -> None:
    number = world.create()
    for position in (0, 1, 2**256 - 1):
        with pytest.raises(Reverted) as refused:
            catalogues.splitByPosition(number, position)
        assert (refused.value.name, refused.value.values) == ("Catalogues_NoPosition", (number, position))
    world.announce(number)
    catalogues.splitByPosition(number, 0)
    with pytest.raises(Reverted):
        catalogues.splitByPosition(number, 1)


def test_only_the_owner_announces(world: World, catalogues: Contract) -> None:
    number, published = world.create(), world.published()
    split, pages = world.split()
    calls: list[Callable[[], object]] = [
        lambda: catalogues.announce(number, published, sender=OTHER),
        lambda: catalogues.publishAndAnnounce(number, split, pages, sender=OTHER),
    ]
    for call in calls:
        refused_with(call, "Catalogues_NotOwner", number, OTHER)
    with pytest.raises(Reverted) as refused:
        catalogues.announce(number + 1, published, sender=OWNER)
    assert (refused.value.name, refused.value.values) == ("Catalogues_Unknown", (number + 1,))
    assert not world.splits.isPublished(split_id(split))


def test_an_unpublished_split_is_refused(world: World, catalogues: Contract) -> None:
    number = world.create()
    split, _ = world.split()
    for unknown in (split_id(split), bytes(32), keccak(b"anything")):
        with pytest.raises(Reverted) as refused:
            catalogues.announce(number, unknown, sender=OWNER)
        assert (refused.value.name, refused.value.values) == ("Catalogues_SplitNotPublished", (unknown,))
    assert catalogues.splitCount(number) == 0


def test_a_half_published_split_is_refused_until_its_last_page(world: World, catalogues: Contract) -> None:
    number = world.create()
    pages = [[leaf(account(100 + index), 1) for index in range(start, start + 128)] for start in (0, 128)]
    nodes = [tree(page)[0] for page in pages]
    sums = [node[1].to_bytes(32, "big") for node in nodes]
    root = keccak(nodes[0][0] + sums[0] + nodes[1][0] + sums[1])
    split = (root, 256, 8)
    proofs = [[nodes[1][0], sums[1]], [nodes[0][0], sums[0]]]
    first, second = ((page, pages[page], proofs[page]) for page in (0, 1))
    world.splits.publish(split, [first])
    calls: list[Callable[[], object]] = [
        lambda: catalogues.announce(number, split_id(split), sender=OWNER),
        lambda: catalogues.publishAndAnnounce(number, split, [], sender=OWNER),
        lambda: catalogues.publishAndAnnounce(number, split, [first], sender=OWNER),
    ]
    for call in calls:
        refused_with(call, "Catalogues_SplitNotPublished", split_id(split))
    assert catalogues.publishAndAnnounce(number, split, [second], sender=OWNER) == world.chain.time
    assert split_at(catalogues, number, world.chain.time) == split_id(split)


@pytest.mark.parametrize("payees", [1, 2, 3, 100, 128])
def test_publish_and_announce(world: World, catalogues: Contract, payees: int) -> None:
    number = world.create()
    split, pages = world.split(payees)
    assert catalogues.publishAndAnnounce(number, split, pages, sender=OWNER) == world.chain.time
    assert world.splits.isPublished(split_id(split))
    assert world.splits.splitId(split) == split_id(split)
    assert catalogues.splitByPosition(number, 0) == (split_id(split), world.chain.time)
    [(topic, data)] = world.splits.events("PagePublished")
    assert topic == split_id(split)
    assert list(data[-1]) == pages[0][1][:payees]


def test_publish_and_announce_of_a_public_split(world: World, catalogues: Contract) -> None:
    number = world.create()
    split, pages = world.split(5)
    world.splits.publish(split, pages)
    catalogues.publishAndAnnounce(number, split, pages, sender=OWNER)
    assert split_at(catalogues, number, world.chain.time) == split_id(split)


def test_publish_and_announce_passes_on_why_splits_refuses(world: World, catalogues: Contract) -> None:
    number = world.create()
    (root, total, depth), [(page, words, _)] = world.split(4)
    for split, pages, name in [
        ((root, total + 1, depth), [(page, words, [])], "Splits_ProofMismatch"),
        ((root, total, depth), [(page, words[::-1], [])], "Splits_ProofMismatch"),
        ((root, total, depth), [(page, words[:-1], [])], "Splits_WrongWordCount"),
        ((root, total, depth), [(1, words, [])], "Splits_PageOutOfRange"),
        ((root, total, depth), [(page, words, [root])], "Splits_WrongProofLength"),
        ((root, total, 33), [(page, words, [])], "Splits_DepthTooLarge"),
        ((root, 0, depth), [(page, words, [])], "Splits_TotalOutOfRange"),
        ((root, total, 33), [], "Catalogues_SplitNotPublished"),
    ]:
        with pytest.raises(Reverted) as refused:
            catalogues.publishAndAnnounce(number, split, pages, sender=OWNER)
        assert refused.value.name == name
    assert catalogues.splitCount(number) == 0


def test_catalogues_do_not_touch_each_other(world: World, catalogues: Contract) -> None:
    one, two = world.create(), world.create()
    first, _ = world.announce(one)
    assert split_at(catalogues, two, world.chain.time) is None
    second, _ = world.announce(two)
    assert split_at(catalogues, one, world.chain.time) == first != second


def test_the_list_ends_at_its_last_possible_position(world: World, catalogues: Contract) -> None:
    """2^24 - 1 splits, which no chain has room for, are refused rather than wrapped."""
    number = world.create(NOTICE)
    slot = int.from_bytes(keccak(number.to_bytes(32, "big") + (2).to_bytes(32, "big")), "big")
    head = world.chain.storage(catalogues.address, slot)
    assert head == int(OWNER, 16) | NOTICE << 224
    world.chain.evm.insert_account_storage(catalogues.address, slot, head | (2**24 - 1) << 160)
    with pytest.raises(Reverted) as refused:
        world.announce(number)
    assert refused.value.name == "SafeCastOverflowedUintDowncast"


@pytest.mark.parametrize(("seed", "notice"), [(1, 0), (2, 1), (3, NOTICE), (4, 7), (5, 3650 * DAY)])
def test_p07_announcements_never_change_the_split_of_a_time_that_has_come(seed: int, notice: int) -> None:
    """Random announcements against a Python list: a second that has come keeps its split for ever."""
    chance = random.Random(seed)
    world = World()
    number = world.create(notice)
    model = Model(notice)
    supply = [world.published() for _ in range(40)]
    answered: dict[int, bytes | None] = {}
    step = max(notice, 1)
    for _ in range(320):
        now = world.chain.time
        split = chance.choice(supply)
        position, effective = model.announce(split, now)
        assert world.announce(number, split)[1] == effective
        assert world.catalogues.splitCount(number) == position + 1
        assert world.catalogues.splitByPosition(number, position) == (split, effective)
        # The present second is settled too: what it answers now, it answers for ever.
        for time in {
            now,
            now - 1,
            effective,
            effective - 1,
            effective + 1,
            max(0, now - chance.randrange(step * 50)),
        }:
            found = split_at(world.catalogues, number, time)
            assert found == model.at(time)
            if time <= now:
                assert answered.setdefault(time, found) == found
        # Steps that fall short of, meet and pass the end of the notice.
        world.chain.move(chance.choice([0, 1, step - 1, step, step, step + 1, chance.randrange(3 * step)]))
    assert len(model.ids) > 100
    for time, found in answered.items():
        assert split_at(world.catalogues, number, time) == found
    for position, (split, effective) in enumerate(zip(model.ids, model.times, strict=True)):
        assert world.catalogues.splitByPosition(number, position) == (split, effective)
        for time in (effective - 1, effective, effective + 1):
            assert split_at(world.catalogues, number, time) == model.at(time)


def test_p07_two_announcements_in_the_second_of_an_acceptance(world: World, catalogues: Contract) -> None:
    """Someone accepts at T under the split of T; no announcement later in that very second takes it away."""
    number = world.create(notice=0)
    first, now = world.announce(number)
    assert catalogues.ownerAndSplit(number) == (OWNER, first)
    for _ in range(3):
        world.announce(number)
        assert catalogues.ownerAndSplit(number) == (OWNER, first)
    world.chain.move(1)
    assert catalogues.ownerAndSplit(number)[1] != first
    assert split_at(catalogues, number, now) == first
