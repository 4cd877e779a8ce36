"""Model ledgers after random histories of weighted licences, and their logs."""

from __future__ import annotations

from random import Random

from distribution_maker import Maker
from distribution_strategies import play, prepare, random_setting
from strategies import GENESIS, TOKEN

from ledger.domain.calendar import DAY
from ledger.domain.journal import RawLog, encode_entry
from ledger.domain.model import Ledger
from ledger.domain.replay import Replay
from ledger.domain.reverts import Revert

Logs = list[tuple[str, RawLog]]
AT = GENESIS - 10 * DAY


def random_ledger(seed: int, steps: int = 60) -> tuple[Ledger, Logs, int]:
    """A ledger after a random history, the logs that the contracts would emit, and the time it ends."""
    rng = Random(seed)
    ledger = Ledger()
    setting = random_setting(rng, (TOKEN,), ledger.distributions.address)
    logs = [(name, encode_entry(name, one, 0, AT)) for name, one in prepare(ledger, setting, AT)]
    maker = Maker(rng, ledger, setting, max(AT, setting.terms[0].start))
    for block in range(1, steps):
        step = maker.next()
        told = play(ledger, step)
        if not isinstance(told, Revert):
            logs += [(name, encode_entry(name, one, block, step.now)) for name, one in told]
    return ledger, logs, maker.now


def fed(logs: Logs, ledger: Ledger) -> Replay:
    replay = Replay(
        splits=ledger.splits.address or "",
        licences=ledger.licences.address,
        distributions=ledger.distributions.address,
        chain_id=31337,
    )
    for contract, log in logs:
        replay.feed(contract, log)
    replay.finish()
    return replay


HISTORIES: dict[int, tuple[Ledger, Logs, int]] = {}


def kept(seed: int) -> tuple[Ledger, Logs, int]:
    """A history that several tests look at; replaying does not change it."""
    if seed not in HISTORIES:
        HISTORIES[seed] = random_ledger(seed)
    return HISTORIES[seed]
