"""The shipped schemas of what commands print."""

from __future__ import annotations

import json
from pathlib import Path

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SCHEMAS = Path(__file__).parents[2] / "ledger" / "data" / "schemas" / "cli"


def check_schema(name: str, value: object) -> None:
    """Raises where a value is not as the schema of a command says."""
    held = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
    registry = Registry().with_resources((one, Resource.from_contents(each)) for one, each in held.items())
    Draft202012Validator(held[f"{name}.json"], registry=registry).validate(value)
