"""Dates as people write them: UTC days, times and spans, to Unix seconds."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from ledger.domain.errors import ValueRefused


def parse_time(text: str) -> int:
    """Unix seconds of `2026-01-31`, `2026-01-31T12:00:00Z` or digits. A day is its first second, UTC."""
    if re.fullmatch(r"[0-9]{1,11}", text, re.ASCII):
        return int(text)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ValueRefused(
            f"{text!r} is no date.", remedy="Write 2026-01-31 or 2026-01-31T12:00:00Z; times are UTC."
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    if moment.timestamp() < 0:
        raise ValueRefused(f"{text!r} is before 1970.", remedy="Check the year.")
    return int(moment.timestamp())
