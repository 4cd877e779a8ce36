"""publishAndAnnounce hands its pages on word for word: any encoding that Splits takes, and no other."""

from __future__ import annotations

import pytest
from _catalogues import OWNER, World
from _mini import Reverted, split_id

HEAD = 4 + 5 * 32  # selector, catalogue, three words of the split, place of the pages


@pytest.fixture
def world() -> World:
    return World()


def moved(data: bytes, to: int) -> bytes:
    """The call with the pages' place, counted from the first argument, set to `to`."""
    return data[: HEAD - 32] + to.to_bytes(32, "big") + data[HEAD:]


def test_p16_pages_may_stand_anywhere_behind_the_head(world: World) -> None:
    """P-16: words between the head and the pages, and behind them, are passed on and mean nothing."""
    number = world.create()
    for gap in (0, 32, 7, 320):
        split, pages = world.split(3)
        data = world.catalogues.data("publishAndAnnounce", number, split, pages)
        place = int.from_bytes(data[HEAD - 32 : HEAD], "big")
        stretched = moved(data, place + gap)
        stretched = stretched[:HEAD] + b"\xa5" * gap + stretched[HEAD:] + b"\x5a" * gap
        world.chain.send(world.catalogues.address, stretched, OWNER)
        position = world.catalogues.splitCount(number) - 1
        assert world.catalogues.splitByPosition(number, position)[0] == split_id(split)
        assert world.splits.isPublished(split_id(split))
        told = list(world.splits.events("PagePublished"))[-1]
        assert told[0] == split_id(split)
        assert list(told[1][5]) == pages[0][1][:3]
        assert told[1][0] == world.catalogues.address.lower()


def test_p16_a_call_cut_short_or_bent_publishes_nothing(world: World) -> None:
    number = world.create()
    split, pages = world.split(3)
    data = world.catalogues.data("publishAndAnnounce", number, split, pages)
    bad = [data[:length] for length in (4, 36, 100, HEAD - 1, HEAD, HEAD + 32, len(data) - 33)]
    bad += [moved(data, place) for place in (0, 31, 2**64, 2**255, 2**256 - 1, 2**256 - 32, len(data))]
    for one in bad:
        with pytest.raises(Reverted):
            world.chain.send(world.catalogues.address, one, OWNER)
    assert not world.splits.isPublished(split_id(split))
    assert not list(world.splits.events("PagePublished"))
    assert world.catalogues.splitCount(number) == 0
    world.chain.send(world.catalogues.address, data, OWNER)
    assert world.catalogues.splitCount(number) == 1


def test_p16_an_error_of_splits_comes_back_as_it_is(world: World) -> None:
    number = world.create()
    split, pages = world.split(3)
    words = [*pages[0][1][:-1], b"\x07" * 32]
    with pytest.raises(Reverted) as caught:
        world.catalogues.publishAndAnnounce(number, split, [(0, words, [])], sender=OWNER)
    assert caught.value.name in ("Splits_ProofMismatch", "Splits_SumAboveTotal")
    with pytest.raises(Reverted) as caught:
        world.catalogues.publishAndAnnounce(number, split, [(1, pages[0][1], [])], sender=OWNER)
    assert (caught.value.name, caught.value.values) == ("Splits_PageOutOfRange", (1, 1))
