"""What is wrong with a field of the terms document, in words: pydantic's findings as ours."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

from ledger.domain.errors import Findings
from ledger.domain.notation import shown

if TYPE_CHECKING:
    from pydantic import BaseModel
    from pydantic_core import ErrorDetails

#: What stands in place of a value of another kind, and what to do about it.
_KINDS = {
    "int_type": ("is no whole number", "Write digits only, without quotes."),
    "int_from_float": ("is no whole number", "Write digits only, without a point."),
    "string_type": ("is no text", "Put it in quotes."),
    "bool_type": ("is neither true nor false", "Write true or false, without quotes."),
    "list_type": ("is no list", "Write [...], or one entry a line after a dash."),
    "model_type": ("is no mapping of fields", "Write its fields, each with its name."),
    "invalid_key": ("is no name of a field", "Put names in quotes."),
}
_PPM = "Write parts per million: 100000 is 10 %."


def add_flaw(findings: Findings, document: type[BaseModel], flaw: ErrorDetails) -> None:
    """Notes what pydantic found, at its path such as `money.tiers[1].rate_ppm`."""
    location, kind, given = flaw["loc"], flaw["type"], shown(flaw["input"])
    path, bounds = _path(location), flaw.get("ctx", {})
    rate = str(location[-1]).endswith("ppm")
    if kind == "extra_forbidden":
        known = _fields_at(document, location[:-1])
        close = difflib.get_close_matches(str(location[-1]), known, n=1, cutoff=0.6)
        remedy = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(known)}."
        findings.add(path, "The field is unknown.", remedy)
    elif kind == "missing":
        findings.add(path, "The field is missing.", "Add it.")
    elif kind in ("refused", "country", "time", "text", "choice"):
        findings.add(path, flaw["msg"])
    elif kind in _KINDS:
        said, remedy = _KINDS[kind]
        findings.add(path, f"{given[0].upper()}{given[1:]} {said}.", _PPM if rate else remedy)
    elif kind == "less_than_equal":
        most = (
            f"{bounds['le']:,} parts per million, which are {bounds['le'] // 10_000} %"
            if rate
            else f"{bounds['le']:,}"
        )
        findings.add(
            path, f"{given} is more than {most}.", _PPM if rate else f"Write at most {bounds['le']}."
        )
    elif kind == "greater_than_equal":
        findings.add(path, f"{given} is less than {bounds['ge']}.", f"Write at least {bounds['ge']}.")
    else:
        findings.add(path, f"{flaw['msg']}, not {given}.")


def _path(location: tuple[str | int, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.lstrip(".")


def _fields_at(document: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """Names of the fields of the part of the document at a place."""
    model: Any = document
    for part in location:
        if isinstance(part, int) or model is None:
            continue
        annotation = model.model_fields[part].annotation
        candidates = [annotation, *getattr(annotation, "__args__", ())]
        model = next((one for one in candidates if hasattr(one, "model_fields")), None)
    return list(model.model_fields) if model is not None else []
