"""A statement as CSV and as JSON. The same statement gives the same bytes."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from ledger.domain.address import checksum_address
from ledger.domain.terms_fields import format_time
from ledger.report.columns import COLUMNS, cells_of, safe_cell
from ledger.report.statement import LeafFacts, RollUp, Statement

STATEMENT_VERSION = "1"


def to_csv(statement: Statement) -> bytes:
    """UTF-8 with LF; every cell safe against formula injection."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([safe_cell(cells[name]) for name in COLUMNS] for cells in cells_of(statement))
    return text.getvalue().encode()


def to_json(statement: Statement) -> bytes:
    """The document of ledger/data/schemas/statement.schema.json; amounts are text."""
    return (json.dumps(document(statement), ensure_ascii=False, indent=1) + "\n").encode()


def document(statement: Statement) -> dict[str, Any]:
    """The statement as JSON values."""
    period = statement.period
    return {
        "statement": STATEMENT_VERSION,
        "id": statement.id,
        "holder": statement.holder,
        "payees": statement.shown_payees,
        "period": {
            "text": period.text,
            "start": format_time(period.start),
            "end": format_time(period.end),
            "final": statement.final,
        },
        "chain": {
            "id": statement.chain_id,
            "contracts": {name: checksum_address(one) for name, one in statement.contracts.items()},
            "block": statement.block,
            "block_hash": "0x" + statement.block_hash.hex(),
            "block_time": format_time(statement.block_time),
        },
        "sums": [_sums(one) for one in statement.sums],
        "columns": list(COLUMNS),
        "rows": list(cells_of(statement)),
        "leaves": [_leaf(one) for one in statement.leaves],
        "notes": list(statement.notes),
    }


def _sums(one: RollUp) -> dict[str, Any]:
    currency = one.currency
    amounts = {
        name: {"units": str(units), "decimal": currency.decimal(units)}
        for name, units in (
            ("opening", one.opening),
            ("earned", one.earned),
            ("adjustments", one.adjustments),
            ("interest", one.interest),
            ("recouped", one.recouped),
            ("paid", one.paid),
            ("closing", one.closing),
            ("held", one.held),
        )
    }
    return {
        "currency": currency.symbol,
        "token": checksum_address(currency.address),
        "decimals": currency.decimals,
        **amounts,
        "check": "opening + earned + adjustments + interest - recouped - paid = closing",
    }


def _leaf(one: LeafFacts) -> dict[str, Any]:
    return {
        "split": "0x" + one.split_id.hex(),
        "currency": one.currency.symbol,
        "payee": checksum_address(one.payee),
        "index": one.index,
        "units": str(one.units),
        "of_units": str(one.total),
        "cumulative": str(one.cumulative),
        "earned": str(one.earned),
        "paid": str(one.paid),
        "owed": str(one.owed),
        "how": one.how,
        "siblings": ["0x" + word.hex() for word in one.proof] if one.proved else None,
    }
