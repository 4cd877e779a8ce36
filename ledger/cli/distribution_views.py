"""What `licence-ledger distribution` shows: built folders, and how a period's distribution stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.cli.context import current
from ledger.cli.output import date
from ledger.domain.address import checksum_address

if TYPE_CHECKING:
    from ledger.operations.distribution_plans import Built
    from ledger.operations.distributions import Standing
    from ledger.operations.session import Session

_STAGES = ("none", "open to objections", "objected to", "stood", "fell back")


def built_data(session: Session, made: Built, folder: Path) -> dict[str, Any]:
    """A built distribution as `--json` prints it."""
    from ledger.operations.plan import money

    token = session.ledger.token(made.token)
    return {
        "folder": str(folder),
        "licence": made.licence,
        "period": made.period,
        "split": made.split.id,
        "payees": made.payees,
        "amount": money(token, made.amount),
        "distributed": money(token, made.split.total),
        "held": money(token, made.amount - made.split.total),
        "usage_hash": made.usage_hash,
        "manifest_root": made.manifest_root,
        "rule_hash": made.rule_hash,
        "rule": made.rule,
    }


def show_built(data: dict[str, Any]) -> None:
    """The same in words."""
    current().out.fields(
        [
            ("folder", data["folder"]),
            ("split", "0x" + data["split"].hex()),
            ("rule", data["rule"]),
            ("payees", f"{data['payees']:,}"),
            ("amount", data["amount"]["shown"]),
            ("to payees", data["distributed"]["shown"]),
            ("held", data["held"]["shown"]),
        ]
    )


def standing_data(session: Session, held: Standing) -> dict[str, Any]:
    """How a period's distribution stands, as `--json` prints it."""
    from ledger.operations.distributions import step_words
    from ledger.operations.plan import money

    token = session.ledger.token(held.token)
    dates = held.dates
    return {
        "licence": held.licence,
        "period": held.period,
        "waits": money(token, held.waits),
        "moved": money(token, held.moved),
        "can_be_done": step_words(held),
        "until": held.outlook.until or None,
        "dates": {
            "end": dates.end,
            "pay_by": dates.pay_by,
            "licensor_by": dates.licensor_by,
            "post_by": dates.post_by,
            "decided_by": dates.decided_by,
            "held_until": dates.held_until,
        },
        "rounds": [
            {
                "round": number,
                "stage": _STAGES[one.stage],
                "posted_by": "licensee" if one.by_licensee else "licensor",
                "split": one.what.split_id if one.what else None,
                "to_payees": money(token, one.what.total) if one.what else None,
                "of": money(token, one.what.amount) if one.what else None,
                "moved": money(token, one.moved_in_all) if one.settled else None,
                "deadline": one.deadline or None,
                "objector": checksum_address(one.objection.objector) if one.objection else None,
                "bond": money(token, one.objection.bond) if one.objection else None,
                "counter": one.objection.counter_split
                if one.objection and any(one.objection.counter_split)
                else None,
            }
            for number, one in enumerate(held.rounds)
        ],
        "history": [
            {
                "what": event.name,
                "by": checksum_address(event.entry.caller),
                "block": event.block,
                "time": event.time,
            }
            for event in held.events
        ],
    }


def show_standing(session: Session, held: Standing) -> None:
    """The same in words."""
    out = current().out
    data = standing_data(session, held)
    out.fields(
        [
            ("period", f"{held.period} of licence {held.licence}"),
            ("waits", data["waits"]["shown"]),
            ("gone to splits", data["moved"]["shown"]),
            ("now", data["can_be_done"]),
            ("decided by", date(held.dates.decided_by)),
            ("held until", date(held.dates.held_until)),
        ]
    )
    if data["rounds"]:
        out.table(
            (">round", "stage", "posted by", "split", ">to payees", ">of"),
            [
                (
                    one["round"],
                    one["stage"],
                    one["posted_by"],
                    f"0x{one['split'].hex()[:10]}…" if one["split"] else "",
                    one["to_payees"]["shown"] if one["to_payees"] else "",
                    one["of"]["shown"] if one["of"] else "",
                )
                for one in data["rounds"]
            ],
        )
    for one in data["rounds"]:
        if one["objector"]:
            wants = f"split 0x{one['counter'].hex()[:10]}…" if one["counter"] else "the fallback"
            out.line(f"{one['objector']} objects and asks for {wants}, with a bond of {one['bond']['shown']}")


def proof_lines(data: dict[str, Any]) -> list[tuple[str, object]]:
    """A payee's proof in words."""
    lines: list[tuple[str, object]] = [
        ("payee", data["payee"]),
        ("split", "0x" + data["split"].hex()),
        ("units", f"{int(data['units']):,} of {int(data['total']):,}"),
        ("leaf", f"{data['index']:,}, 0x{data['leaf'].hex()}"),
        ("siblings", f"{len(data['siblings']):,} words"),
    ]
    return [*lines, ("file", data["file"])] if data["file"] else lines
