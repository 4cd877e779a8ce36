"""The model of Catalogues: settings, the dated list of splits, ownership."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import ARBITER, BUYER, LICENSOR, STRANGER

from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.catalogue_book import MAX_SECONDS, CatalogueBook, Settings
from ledger.domain.reverts import Revert

SETTINGS = Settings(
    b"\x01" * 32, b"\x02" * 32, ARBITER, notice=30 * DAY, dispute_window=3600, arbiter_window=3600
)
ONE, TWO, THREE = (bytes([n]) * 32 for n in (1, 2, 3))


def a_book(settings: Settings = SETTINGS) -> CatalogueBook:
    book = CatalogueBook()
    assert book.create(LICENSOR, settings)[0].number == 1
    return book


@pytest.mark.parametrize(
    ("change", "which"),
    [
        ({"works_root": bytes(32)}, 1),
        ({"file_hash": bytes(32)}, 2),
        ({"notice": MAX_SECONDS + 1}, 3),
        ({"dispute_window": 3599}, 4),
        ({"dispute_window": MAX_SECONDS + 1}, 4),
        ({"arbiter_window": 3599}, 5),
    ],
)
def test_settings_out_of_range(change: dict[str, object], which: int) -> None:
    with pytest.raises(Revert) as refused:
        CatalogueBook().create(LICENSOR, replace(SETTINGS, **change))
    assert refused.value == Revert("Catalogues_BadSetting", which)


def test_P_07_the_first_split_counts_at_once_and_later_ones_after_the_notice() -> None:
    book = a_book()
    with pytest.raises(Revert, match="NoSplitAt"):
        book.split_at(1, 2**40)
    assert book.announce(LICENSOR, 1, ONE, 1000)[0].args == {"position": 0, "splitId": ONE, "effective": 1000}
    with pytest.raises(Revert, match="NoSplitAt"):
        book.split_at(1, 999)
    (entry,) = book.announce(LICENSOR, 1, TWO, 2000)
    assert (entry["position"], entry["effective"]) == (1, 2000 + 30 * DAY)
    assert book.split_at(1, entry["effective"] - 1) == ONE
    assert book.split_at(1, entry["effective"]) == TWO
    # A pending split is replaced, and its notice restarts.
    (again,) = book.announce(LICENSOR, 1, THREE, 3000)
    assert (again["position"], again["effective"]) == (1, 3000 + 30 * DAY)
    assert book.split_by_position(1, 1) == (THREE, again["effective"])
    (later,) = book.announce(LICENSOR, 1, TWO, again["effective"])
    assert later["position"] == 2
    with pytest.raises(Revert, match="NoPosition"):
        book.split_by_position(1, 3)


def test_without_notice_no_second_changes_its_split() -> None:
    book = a_book(replace(SETTINGS, notice=0))
    book.announce(LICENSOR, 1, ONE, 1000)
    assert book.announce(LICENSOR, 1, TWO, 1000)[0]["effective"] == 1001
    assert book.split_at(1, 1000) == ONE


@given(st.lists(st.integers(min_value=0, max_value=50 * DAY), max_size=30))
def test_P_07_the_past_is_never_rewritten(waits: list[int]) -> None:
    book = a_book()
    now = 1000
    book.announce(LICENSOR, 1, ONE, now)
    seen: dict[int, bytes] = {}
    for i, wait in enumerate(waits):
        now += wait
        seen[now] = book.split_at(1, now)
        book.announce(LICENSOR, 1, bytes([i % 250 + 1]) * 32, now)
        for time, split_id in seen.items():
            assert book.split_at(1, time) == split_id
    times = [effective for effective, _ in book.known(1).splits]
    assert times == sorted(set(times))


def test_only_published_splits_by_the_owner() -> None:
    book = CatalogueBook(lambda split_id: split_id == ONE)
    book.create(LICENSOR, SETTINGS)
    with pytest.raises(Revert, match="SplitNotPublished"):
        book.announce(LICENSOR, 1, TWO, 5)
    with pytest.raises(Revert, match="NotOwner"):
        book.announce(STRANGER, 1, ONE, 5)
    with pytest.raises(Revert, match="Unknown"):
        book.announce(LICENSOR, 2, ONE, 5)


def test_ownership_moves_in_two_steps() -> None:
    book = a_book()
    with pytest.raises(Revert, match="NotOwner"):
        book.offer_ownership(STRANGER, 1, STRANGER)
    book.offer_ownership(LICENSOR, 1, BUYER)
    with pytest.raises(Revert, match="NotPendingOwner"):
        book.accept_ownership(STRANGER, 1)
    (entry,) = book.accept_ownership(BUYER, 1)
    assert entry["previousOwner"] == LICENSOR
    assert book.owner_of(1) == BUYER
    with pytest.raises(Revert, match="NotPendingOwner"):
        book.accept_ownership(BUYER, 1)
    book.offer_ownership(BUYER, 1, ZERO_ADDRESS)


def test_the_manifest_is_replaced_by_its_owner() -> None:
    book = a_book()
    book.replace_manifest(LICENSOR, 1, TWO, THREE, "ipfs://new")
    assert book.known(1).settings.works_root == TWO
    assert book.rules_of(1) == (ARBITER, 30 * DAY, 3600, 3600)
    with pytest.raises(Revert, match="BadSetting"):
        book.replace_manifest(LICENSOR, 1, bytes(32), THREE, "")
