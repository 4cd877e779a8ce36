"""Every way that a distribution can go: the honest audit passes, one lie about each is found (P-02, P-14)."""

from __future__ import annotations

import pytest
from _court import failed, the_journal_parts_at
from _weighted_pool import CY, STRANGER, step

from ledger.audit.layout import layout_of


def outcomes(pool) -> list[tuple[str, int, int]]:
    """Every entry of Distributions: name, period, outcome (0 where it has none)."""
    entries = pool.entries("Distributions")
    return [(one.name, one["period"], one.args.get("outcome", 0)) for one in entries]


def test_all_ways_pass_and_every_posting_is_worked_out_again(pool):
    """Replaced, countered, conceded, fallen back, closed in silence, swept."""
    told = outcomes(pool)
    assert {(name, period) for name, period, _ in told} == {
        *(("Posted", period) for period in (0, 1, 2, 4)),
        *((name, period) for name in ("Objected", "BondMoved") for period in (1, 2, 4)),
        ("Conceded", 2),
        *(("Settled", period) for period in range(5)),
        ("Swept", 0),
    }
    # Unopposed, counter chosen, nothing posted, arbiter silent: as IDistributions counts them.
    assert {outcome for name, _, outcome in told if name == "Settled"} == {1, 3, 6, 5}
    code, verdict = pool.audit("--transfers")
    assert (code, verdict["passed"], verdict["missing"]) == (0, True, [])
    files = step(verdict, "files of distributions")
    assert (files["status"], files["compared"], files["expected"]) == ("PASS", 5, files["found"])
    assert "2 rounds stood by a counter-split" in files["detail"]
    assert "5 usage reports read again" in files["detail"]


def supplement(pool):
    """The part held for Cy, who has an address now, is posted."""
    built = pool.folder / "built" / "0"
    usage = next(path for path in (pool.files / "usage").iterdir() if path.name in usage_of(built))
    pool.post(0, usage, "0-later", "--supplement", built)


def usage_of(built) -> str:
    return (built / "manifest.json").read_text()


def test_what_was_held_is_posted_later(pool):
    supplement(pool)
    pool.after("2024-09-20")
    pool.settle(0)
    assert pool.do("payout", "claim", CY, account=STRANGER)["paid"]
    code, verdict = pool.audit()
    files = step(verdict, "files of distributions")
    assert (code, files["status"], files["compared"]) == (0, "PASS", 6)


def test_a_later_posting_that_falls_stays_held(pool):
    supplement(pool)
    pool.do("token", "mint", "100", "--to", CY, account=STRANGER)
    pool.do("distribution", "object", 1, 0, account="dev:6")
    pool.settle(0, "--choose", "fallback", account="dev:5")
    assert ("StayedHeld", 0, 4) in outcomes(pool)
    code, verdict = pool.audit("--transfers")
    assert (code, step(verdict, "files of distributions")["compared"]) == (0, 6)


def test_what_nobody_claims_in_730_days_is_released(pool):
    pool.after("2027-01-01")
    pool.settle(0)
    assert outcomes(pool)[-1] == ("Settled", 0, 7)
    code, verdict = pool.audit("--transfers")
    assert (code, verdict["passed"]) == (0, True)


@pytest.mark.parametrize(
    ("name", "place", "args"),
    [
        ("Posted", 1, {"usageHash": b"\6" * 32}),
        ("Posted", 1, {"ruleHash": b"\6" * 32}),
        ("Posted", 1, {"replacing": False}),
        ("Posted", 0, {"role": 2}),
        ("Posted", 0, {"deadline": 1_800_000_000}),
        ("Objected", 0, {"objector": "0x" + "66" * 20}),
        ("Objected", 0, {"bond": 1}),
        ("Objected", 0, {"counterTotal": 7}),
        ("Conceded", 0, {"total": 7}),
        ("Settled", 1, {"outcome": 2}),
        ("Settled", 0, {"outcome": 6}),
        ("Swept", 0, {"moved": 1}),
    ],
)
def test_an_entry_of_a_distribution_that_is_altered(pool_court, name, place, args):
    court = pool_court
    log = [one for one in court.logs() if court.names[one["address"]] == "Distributions"]
    log = [one for one in log if court.entry(one).name == name][place]
    court.replace(log, court.altered(log, **args))
    verdict = court.audit()
    assert "journal of Distributions" in failed(verdict)
    the_journal_parts_at(verdict, "Distributions", log["blockNumber"])


def test_rounds_whose_storage_is_another(pool):
    """P-14: the words of each round are proved, whichever way it went."""
    address = pool.ledger.addresses["Distributions"]
    salts = [pool.books().licences.salt_of(pool.licence, period) for period in range(5)]
    for salt in salts:
        for label in ("_rounds", "_moved", "_objections"):
            slot = "0x" + layout_of("Distributions").slot(label, salt, 0).hex()
            held = int(pool.rpc.call("eth_getStorageAt", address, slot, "latest"), 16)
            pool.rpc.call("anvil_setStorageAt", address, slot, f"0x{held ^ 1 << 9:064x}")
    pool.rpc.call("anvil_mine", "0x1")
    code, verdict = pool.audit()
    found = [one["period"] for one in verdict["findings"] if one["check"] == "distributions"]
    assert (code, sorted(found)) == (4, sorted([*range(5)] * 3))


def test_attributions_that_keep_more_than_their_journal(pool):
    """P-14: its storage is one word, so any other word gives another storage root."""
    code, verdict = pool.audit()
    told = step(verdict, "attributions")
    assert (code, told["status"], told["expected"]) == (0, "PASS", told["found"])
    assert "2 roots" in told["detail"]
    address = pool.ledger.addresses["Attributions"]
    pool.rpc.call("anvil_setStorageAt", address, f"0x{5:064x}", f"0x{1:064x}")
    pool.rpc.call("anvil_mine", "0x1")
    code, verdict = pool.audit()
    assert (code, [one["check"] for one in verdict["findings"]]) == (4, ["attributions"])
    told = step(verdict, "attributions")
    assert (told["status"], told["expected"] != told["found"]) == ("FAIL", True)


@pytest.mark.parametrize(
    ("name", "args"),
    [
        ("TrainingRecorded", {"root": b"\6" * 32}),
        ("TrainingRecorded", {"leaves": 3}),
        ("OutputsRecorded", {"root": b"\6" * 32}),
        ("OutputsRecorded", {"outputs": 1}),
        ("OutputsRecorded", {"fileHash": b"\6" * 32}),
    ],
)
def test_a_record_of_attribution_that_is_altered(pool_court, name, args):
    log = pool_court.find(name)
    pool_court.replace(log, pool_court.altered(log, **args))
    verdict = pool_court.audit()
    assert "journal of Attributions" in failed(verdict)
    the_journal_parts_at(verdict, "Attributions", log["blockNumber"])


def test_a_record_of_attribution_that_is_left_out(pool_court):
    log = pool_court.find("OutputsRecorded")
    pool_court.replace(log)
    verdict = pool_court.audit()
    assert failed(verdict) == {"journal of Attributions", "attributions"}
    the_journal_parts_at(verdict, "Attributions", log["blockNumber"])
