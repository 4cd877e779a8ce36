"""What the tests of the command line share: the shipped schemas, accounts, a manifest."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

SCHEMAS = Path(__file__).parents[2] / "ledger" / "data" / "schemas" / "cli"
HELD = {path.name: json.loads(path.read_text()) for path in SCHEMAS.glob("*.json")}
REGISTRY = Registry().with_resources((name, Resource.from_contents(held)) for name, held in HELD.items())


def check_schema(name: str, value: object) -> None:
    Draft202012Validator(HELD[f"{name}.json"], registry=REGISTRY).validate(value)


@dataclass
class Ran:
    """One command: exit code, what it wrote, and with --json its data or its error."""

    code: int
    out: str
    err: str
    data: dict[str, Any] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    next: list[str] = field(default_factory=list)


MANIFEST = """\
work,title,holder,payee,share,right,isrc
song-1,First,Ann,0x1111111111111111111111111111111111111111,1/3,recording,GBAYE0601498
song-1,First,Bob,0x2222222222222222222222222222222222222222,2/3,recording,GBAYE0601498
song-2,Second,Cy,,1000000,recording,
song-3,Third,Dee,0x3333333333333333333333333333333333333333,1000000,recording,
"""

LICENSOR, LICENSEE, STRANGER = "dev:0", "dev:1", "dev:2"
ADDRESS = {
    LICENSOR: "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266",
    LICENSEE: "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    STRANGER: "0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC",
}
