"""What a root cannot show: flaws of batches, records and duties; and the book's resends."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from ledger.domain.attribution import FINE_TUNE, TRAIN, Credit, Credits
from ledger.domain.attribution_book import AttributionBook, Batch, Training
from ledger.domain.attribution_checks import (
    FlawKind,
    UsageReported,
    check_batch_file,
    check_credits,
    check_duties,
    check_resends,
    check_training_file,
    repeated_outputs,
)
from ledger.domain.calendar import DAY
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.chain_terms import ATTRIBUTION_DUTIES, ChainTerms
from ledger.domain.licence_types import ACTIVE, Grant, LicenceState
from ledger.domain.reverts import Revert
from ledger.domain.undo import Undo

LICENSEE = "0x" + "aa" * 20
START = 1_767_225_600
HASH = b"\x01" * 32
GOOD = [Credit("a", "w1", 600_000), Credit("a", "w2", 400_000), Credit("b", "", 1_000_000)]
TERMS = ChainTerms(
    *(
        HASH,
        HASH,
        1,
        ZERO_ADDRESS,
        "0x" + "11" * 20,
        0b1111,
        0,
        START,
        0,
        False,
        0,
        False,
        False,
        0,
        0,
        0,
        0,
        0,
        1,
    ),
    *(20, 30, 10, 2, ZERO_ADDRESS, bytes(32), ZERO_ADDRESS, ()),
)


@dataclass
class OneLicence:
    """Licence 1, active."""

    grants: dict[int, Grant] = field(default_factory=lambda: {1: Grant(1, TERMS, TERMS.hash)})
    states: dict[int, LicenceState] = field(default_factory=lambda: {1: LicenceState(ACTIVE, False, START)})
    holders: dict[int, str] = field(default_factory=lambda: {1: LICENSEE})


@pytest.fixture
def book() -> AttributionBook:
    return AttributionBook(OneLicence())


def outputs(
    book: AttributionBook, count: int, *, root: bytes = HASH, day: int = 0, leaves: int = 100
) -> None:
    book.record_outputs(LICENSEE, 1, Batch("m\n1", root, leaves, count), now=START + day * DAY)


def kinds(flaws) -> list[tuple[FlawKind, str]]:
    return [(one.kind, one.where) for one in flaws]


# ---- batches


def test_a_good_batch_has_no_flaw() -> None:
    assert check_credits(Credits.of(GOOD)) == check_credits(Credits.of(GOOD), {"w1", "w2"}) == []


@pytest.mark.parametrize("weight", [399_999, 400_001])
def test_weights_of_an_output_sum_to_one_million(weight: int) -> None:
    lines = [GOOD[0], replace(GOOD[1], weight_ppm=weight), GOOD[2]]
    assert kinds(check_credits(Credits.of(lines))) == [(FlawKind.WEIGHTS, "output a")]
    assert f"{600_000 + weight:,}" in check_credits(Credits.of(lines))[0].what


def test_content_repeated_lines_and_unknown_works() -> None:
    lines = [GOOD[0], replace(GOOD[1], content_hash=HASH), GOOD[2]]
    assert kinds(check_credits(Credits.of(lines))) == [(FlawKind.CONTENT, "output a")]
    twice = [*GOOD[:2], replace(GOOD[2], weight_ppm=1), replace(GOOD[2], weight_ppm=999_999)]
    assert kinds(check_credits(Credits.of(twice))) == [(FlawKind.REPEATED_LINE, "output b")]
    assert kinds(check_credits(Credits.of(GOOD), {"w1"})) == [(FlawKind.UNKNOWN_WORK, "work w2")]


def test_all_of_ten_thousand_flaws_are_listed() -> None:
    lines = [Credit(f"out-{number}", "w1", 999_999) for number in range(10_000)]
    assert len(check_credits(Credits.of(lines), set())) == 10_001


def test_outputs_in_two_batches(book: AttributionBook) -> None:
    outputs(book, 2)
    outputs(book, 1, root=b"\x02" * 32)
    one, other = book.of_licence(1)
    pairs = [(one, Credits.of(GOOD)), (other, Credits.of(GOOD[2:]))]
    assert kinds(repeated_outputs(pairs)) == [(FlawKind.REPEATED_OUTPUT, "output b")]
    assert list(repeated_outputs(pairs[:1])) == []


# ---- files


def test_a_file_is_what_was_recorded(book: AttributionBook) -> None:
    batch = Credits.of(GOOD)
    outputs(book, 2, root=batch.root, leaves=3)
    outputs(book, 3, root=b"\x02" * 32, leaves=4)
    right, wrong = book.of_licence(1)
    assert check_batch_file(right, batch) == []
    [missing] = check_batch_file(right, Credits.of(GOOD[:2]))
    assert missing.kind == FlawKind.MISSING_LEAVES
    told = replace(right, what=replace(right.what, leaves=4, outputs=3))
    assert [one.kind for one in check_batch_file(told, batch)] == [
        FlawKind.MISSING_LEAVES,
        FlawKind.OTHER_FIGURES,
    ]
    assert [one.kind for one in check_batch_file(wrong, batch)] == [FlawKind.MISSING_LEAVES]


def test_a_list_of_works_is_what_was_recorded(book: AttributionBook) -> None:
    book.record_training(LICENSEE, 1, Training(TRAIN, "m\n1", HASH, 5), now=START)
    [recorded] = book.of_licence(1)
    assert check_training_file(recorded, HASH, 5) == []
    for root, works in ((HASH, 4), (b"\x02" * 32, 5)):
        assert [one.kind for one in check_training_file(recorded, root, works)] == [FlawKind.MISSING_LEAVES]


# ---- duties

PER_OUTPUT, SOURCE_LIST = ATTRIBUTION_DUTIES.index("PER_OUTPUT"), ATTRIBUTION_DUTIES.index("SOURCE_LIST")
USED = [UsageReported(1, 50), UsageReported(0, 100)]


def test_credits_that_are_owed_and_not_recorded(book: AttributionBook) -> None:
    outputs(book, 100)
    assert kinds(check_duties(book, 1, PER_OUTPUT, USED, until=START)) == [
        (FlawKind.MISSING_CREDITS, "licence 1, period 1")
    ]
    assert "those of 50 are missing" in check_duties(book, 1, PER_OUTPUT, USED, until=START)[0].what
    outputs(book, 50, root=b"\x02" * 32, day=3)
    assert check_duties(book, 1, PER_OUTPUT, USED, until=START + 3 * DAY) == []
    assert len(check_duties(book, 1, PER_OUTPUT, USED, until=START + 3 * DAY - 1)) == 1
    for duty in range(PER_OUTPUT):
        assert check_duties(book, 1, duty, [UsageReported(0, 10**6)], until=START) == []


def test_p05_a_batch_that_is_recorded_again_credits_nothing_more(book: AttributionBook) -> None:
    """P-05: a root counts once, and its first record stands."""
    for _ in range(3):
        outputs(book, 90)
    assert book.outputs_recorded(1) == 90
    assert len(check_duties(book, 1, PER_OUTPUT, USED, until=START)) == 2
    assert check_resends(book, 1) == []
    outputs(book, 100)
    [recorded] = book.of_licence(1)
    assert (recorded.what.outputs, recorded.resent, recorded.others) == (90, 3, 1)
    assert [one.kind for one in check_resends(book, 1)] == [FlawKind.OTHER_FIGURES]


def test_training_that_is_reported_and_not_recorded(book: AttributionBook) -> None:
    used = [UsageReported(2, 0, frozenset({"AiTraining"})), UsageReported(3, 0, frozenset({"AiFineTuning"}))]
    found = check_duties(book, 1, SOURCE_LIST, used, until=START)
    assert [one.what.split(" ")[0] for one in found] == ["AiTraining", "AiFineTuning"]
    book.record_training(LICENSEE, 1, Training(FINE_TUNE, "m\n1", HASH, 1), now=START)
    assert [one.what.split(" ")[0] for one in check_duties(book, 1, SOURCE_LIST, used, until=START)] == [
        "AiTraining"
    ]
    book.record_training(LICENSEE, 1, Training(TRAIN, "m\n1", HASH, 1), now=START)
    assert check_duties(book, 1, SOURCE_LIST, used, until=START) == []
    assert len(check_duties(book, 1, SOURCE_LIST, used, until=START - 1)) == 2
    assert check_duties(AttributionBook(OneLicence()), 1, 0, used, until=START) == []


# ---- the book


def test_a_refused_record_changes_nothing(book: AttributionBook) -> None:
    with pytest.raises(Revert, match="out of range"):
        outputs(book, 0)
    assert book.records == {}


def test_a_record_of_a_call_that_fails_later_is_put_back() -> None:
    undo = Undo()
    book = AttributionBook(OneLicence(), undo)

    def both() -> None:
        with undo.call():
            outputs(book, 1)
            outputs(book, 0)

    with pytest.raises(Revert):
        both()
    assert book.records == {}
