"""What a replay demands of an entry: that it is the one which the model records."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.domain.errors import AuditFailed
from ledger.domain.journal import Entry


def same_entry(entry: Entry, made: Sequence[Entry]) -> None:
    """Raises AuditFailed unless the model recorded exactly this entry."""
    if len(made) != 1 or made[0].name != entry.name or made[0].id != entry.id:
        expected = ", ".join(one.name for one in made) or "no entry"
        raise AuditFailed(f"The journal tells of {entry.name}; the model records {expected}.")
    if made[0].caller != entry.caller:
        raise AuditFailed(f"The caller should be {made[0].caller}, not {entry.caller}.")
    for name, value in made[0].args.items():
        if entry[name] != value:
            raise AuditFailed(
                f"{name} should be {_show(value)}, not {_show(entry[name])}.",
                remedy="Compare the entry with the transaction that made it.",
            )


def _show(value: object) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
