"""P-14: the journals of Distributions and Splits replay to the same state, and any edit is caught."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from distribution_ledgers import Logs, fed, kept, random_ledger
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from strategies import STRANGER

from ledger.domain.errors import AuditFailed
from ledger.domain.journal import Entry, decode_entry, encode_entry, event_shapes, fold_all
from ledger.domain.model import Ledger

seeds = st.integers(min_value=0, max_value=2**40)
relaxed = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@relaxed
@given(seeds)
def test_P_14_distributions_replay_to_the_same_state(seed: int) -> None:
    ledger, logs, _ = random_ledger(seed)
    replay = fed(logs, ledger)
    assert replay.distributions.rounds == ledger.distributions.rounds
    assert replay.splits.accounts == ledger.splits.accounts
    assert replay.splits.cumulatives == ledger.splits.cumulatives
    assert replay.splits.publications == ledger.splits.publications
    assert replay.licences.periods == ledger.licences.periods
    own = [log for name, log in logs if name == "Distributions"]
    assert replay.heads["Distributions"] == fold_all(own)
    assert replay.counts["Distributions"] == len(own)


#: What a caller was free to choose, so that only the head of the journal binds it.
FREE = {
    *(("Posted", name) for name in ("usageHash", "manifestRoot", "ruleHash", "uri")),
    ("Settled", "caller"),
    ("Swept", "caller"),
    ("StayedHeld", "caller"),
    ("BondMoved", "caller"),
}
FIELDS = [
    (name, field)
    for name, shape in event_shapes("Distributions").items()
    for field in shape.names
    if (name, field) not in FREE
]


def altered(value: Any) -> Any:
    """Another value of the same type."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return value + 1
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    return "0x" + f"{int(value, 16) ^ 1:040x}" if value.startswith("0x") else value + "x"


def first_with(wanted: Callable[[Entry], bool]) -> tuple[Ledger, Logs, int]:
    """A history that records such an entry of Distributions, and the entry's place in its logs."""
    for seed in range(300):
        ledger, logs, _ = kept(seed)
        for at, (contract, log) in enumerate(logs):
            if contract == "Distributions" and wanted(decode_entry(contract, log)):
                return ledger, logs, at
    raise AssertionError("no history has such an entry")


@pytest.mark.parametrize(("name", "field"), FIELDS)
def test_P_14_every_altered_value_of_distributions_is_noticed(name: str, field: str) -> None:
    ledger, logs, at = first_with(lambda entry: entry.name == name)
    log = logs[at][1]
    entry = decode_entry("Distributions", log)
    if field == "caller":
        edited = replace(entry, caller=altered(entry.caller))
    else:
        edited = replace(entry, args={**entry.args, field: altered(entry[field])})
    forged = encode_entry("Distributions", edited, log.block_number, log.timestamp)
    assert forged != log
    with pytest.raises(AuditFailed):
        fed([*logs[:at], ("Distributions", forged), *logs[at + 1 :]], ledger)


@pytest.mark.parametrize("outcome", range(1, 8))
def test_P_14_every_outcome_of_a_round_is_noticed_when_altered(outcome: int) -> None:
    ledger, logs, at = first_with(lambda entry: entry.name == "Settled" and entry["outcome"] == outcome)
    log = logs[at][1]
    entry = decode_entry("Distributions", log)
    for other in range(9):
        if other != outcome:
            edited = replace(entry, args={**entry.args, "outcome": other})
            forged = encode_entry("Distributions", edited, log.block_number, log.timestamp)
            with pytest.raises(AuditFailed):
                fed([*logs[:at], ("Distributions", forged), *logs[at + 1 :]], ledger)


@pytest.mark.parametrize(
    "name", ["Posted", "Objected", "Conceded", "Settled", "StayedHeld", "Swept", "BondMoved"]
)
def test_P_14_a_hidden_or_repeated_entry_of_distributions_is_noticed(name: str) -> None:
    ledger, logs, at = first_with(lambda entry: entry.name == name)
    heads = fold_all(one for contract, one in logs if contract == "Distributions")
    for changed in (logs[:at] + logs[at + 1 :], logs[: at + 1] + logs[at:]):
        assert fold_all(one for contract, one in changed if contract == "Distributions") != heads
    with pytest.raises(AuditFailed):
        fed(logs[: at + 1] + logs[at:], ledger)


@pytest.mark.parametrize("name", ["AccountMoved", "AccountFunded", "PagePublished"])
def test_P_14_what_distributions_did_in_splits_cannot_be_left_out_or_invented(name: str) -> None:
    for seed in range(200):
        ledger, logs, _ = kept(seed)
        for at, (contract, log) in enumerate(logs):
            if contract != "Splits":
                continue
            entry = decode_entry(contract, log)
            if entry.name == name and entry.caller == ledger.distributions.address:
                for changed in (logs[:at] + logs[at + 1 :], logs[: at + 1] + logs[at:]):
                    with pytest.raises(AuditFailed):
                        fed(changed, ledger)
                return
    raise AssertionError(f"no {name}")


def test_P_14_only_the_controller_moves_an_account() -> None:
    ledger, logs, _ = next(one for one in map(kept, range(300)) if any(one[0].splits.accounts.values()))
    splits = ledger.splits
    (account, token), held = next(one for one in splits.accounts.items() if one[1])
    split_id = next(one for one in splits.publications if splits.is_published(one))
    args = {"token": token, "splitId": split_id, "amount": held}
    stolen = encode_entry("Splits", Entry("AccountMoved", account, STRANGER, args), 10**6, 2**40)
    fed(logs, ledger)
    with pytest.raises(AuditFailed, match="the caller should be"):
        fed([*logs, ("Splits", stolen)], ledger)
