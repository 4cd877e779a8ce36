"""The weights of works out of the usage table, as Ibis expressions: DuckDB here, Spark or a warehouse elsewhere.

Sums are DECIMAL(38,0). A sum, or the product of weight and outputs, of 10^38 or more is an error of every
backend (Spark in its ANSI mode, the default of version 4), told as a refusal; nothing wraps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from ledger.domain.allocation_rule import AllocationRule
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.terms_fields import Allocation

if TYPE_CHECKING:
    import ibis.expr.types as ir

#: Gives the works of the manifest once they are read.
Works = Callable[[], pa.LargeStringArray]
EXACT = "decimal(38, 0)"
#: Columns of the usage table that the allocation reads.
COLUMNS = ("work", "right_type", "usages", "weight_ppm", "confidence_bps", "outputs", "royalty_bearing")


def needed(rule: AllocationRule) -> tuple[str, ...]:
    """The sums that a rule can come to use: none for equal parts and sizes."""
    sums: list[str] = []
    if Allocation.USAGE in rule.needs:
        sums.append("usages")
    if Allocation.ATTRIBUTION in rule.needs:
        sums += ["sure", "unsure"]
    return tuple(sums)


def _exact(column: Any) -> Any:
    """As DECIMAL(38,0); what is one already stays as it is, for a cast costs time on each row."""
    return column if column.type().is_decimal() and column.type().scale == 0 else column.cast(EXACT)


def _sums(usage: ir.Table, rule: AllocationRule) -> dict[str, Any]:
    import ibis

    found: dict[str, Any] = {}
    for name in needed(rule):
        if name == "usages":
            found[name] = (
                _exact(usage.usages.sum()) if usage.usages.type().is_integer() else _exact(usage.usages).sum()
            )
            continue
        times = ibis.coalesce(_exact(usage.outputs), _exact(usage.usages))
        credit = _exact(usage.weight_ppm) * times
        reaches = usage.confidence_bps.fill_null(0) >= rule.confidence_floor_bps
        found[name] = _exact(credit).sum(where=reaches if name == "sure" else ~reaches)
    return {name: ibis.coalesce(_exact(value), ibis.literal(0).cast(EXACT)) for name, value in found.items()}


def has_right_types(usage: ir.Table) -> bool:
    """Whether any line names a right type."""
    # Counting what is not NULL takes no more than the file's own statistics, as a rule.
    if not usage.right_type.count().to_pyarrow().as_py():
        return False
    found: Any = usage.aggregate(named=(usage.right_type != "").any()).to_pyarrow()
    return bool(found["named"][0].as_py())


def has_free_lines(usage: ir.Table) -> bool:
    """Whether any line bears no royalty; a file's statistics mostly tell."""
    return bool(usage.filter(~usage.royalty_bearing).limit(1).count().to_pyarrow().as_py())


def item_weights(
    usage: ir.Table, works: ir.Table, rule: AllocationRule, *, by_right: bool, with_free: bool
) -> ir.Table:
    """One row a work (and right type): `position`, `unknown`, `right_type` and the sums that the rule needs.

    `works` has `known` (the work's id) and `position`. Where position is NULL, `unknown` is the work that the
    manifest does not have. Lines that bear no royalty do not count; `with_free` says that there are some.
    """
    grouped = work_sums(usage, rule, by_right=by_right, with_free=with_free)
    return _placed(grouped, works, rule, by_right=by_right)


def work_sums(usage: ir.Table, rule: AllocationRule, *, by_right: bool, with_free: bool) -> ir.Table:
    """One row a work (and right type) that the usage names, with the sums that the rule needs."""
    if with_free:
        usage = usage.filter(usage.royalty_bearing.fill_null(True))
    keys = ["work", "right_type"] if by_right else ["work"]
    return usage.group_by(keys).aggregate(**_sums(usage, rule))


def _placed(grouped: ir.Table, works: ir.Table, rule: AllocationRule, *, by_right: bool) -> ir.Table:
    import ibis

    joined = grouped.left_join(works, grouped.work == works.known)
    return joined.select(
        position=joined.position,
        unknown=ibis.ifelse(joined.position.isnull(), joined.work, ibis.null("string")),
        right_type=joined.right_type if by_right else ibis.null("string"),
        **{name: joined[name] for name in needed(rule)},
    )


def collect(usage: ir.Table, rule: AllocationRule, known: Works, *, waits: bool) -> pa.Table | None:
    """The weights by work, worked out where the usage table is. None if the rule needs no usage.

    `known` gives the works of the manifest in order; where they are still read (`waits`) sums are made meanwhile.
    Raises LedgerError where sums pass 10^38 or the table cannot be read.
    """
    import ibis
    from ibis.util import gen_name

    if not needed(rule):
        return None
    if missing := [name for name in COLUMNS if name not in usage.columns]:
        raise ValueRefused(
            f"The usage table has no column {missing[0]!r}.", remedy=f"It needs {', '.join(COLUMNS)}."
        )

    def table(works: pa.LargeStringArray) -> ir.Table:
        return ibis.memtable(pa.table({"known": works, "position": np.arange(len(works), dtype=np.int64)}))

    try:
        by_right, with_free = has_right_types(usage), has_free_lines(usage)
        if not waits:
            made = item_weights(usage, table(known()), rule, by_right=by_right, with_free=with_free)
            return made.to_pyarrow()
        grouped = work_sums(usage, rule, by_right=by_right, with_free=with_free)
        sums = usage.get_backend().create_table(gen_name("sums"), grouped, temp=True)
        return _placed(sums, table(known()), rule, by_right=by_right).to_pyarrow()
    except LedgerError:
        raise
    except Exception as error:
        # Each backend has exceptions of its own; their common trait is what they say.
        text = str(error)
        if any(
            word in text for word in ("overflow", "OVERFLOW", "Out of Range", "out of range", "Conversion")
        ):
            raise ValueRefused(
                "The weights of the usage file are too large: a sum has 10^38 or more.",
                why=text.strip().splitlines()[0],
                remedy="Check the usage figures, attribution weights and output counts of the file.",
            ) from error
        raise LedgerError("The usage table cannot be read.", why=text.strip().splitlines()[0]) from error
