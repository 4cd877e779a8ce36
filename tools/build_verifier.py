"""Builds the verifier: what it has to know of our contracts, then one script for the page and one module for everybody.

`--check` builds into a temporary folder and compares with what is committed. The output depends on the sources, the
packaged artefacts and the pinned esbuild alone.
"""

from __future__ import annotations

import argparse
import base64
import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from ledger.chain.artefacts import load
from ledger.chain.deploy import expected_code, plan
from ledger.domain.canonical import keccak256
from ledger.domain.journal import event_shapes
from ledger.domain.replay import CONTRACTS

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "verifier" / "src"
STATIC = ROOT / "ledger" / "web" / "static"
ESBUILD = ROOT / "node_modules" / "esbuild" / "bin" / "esbuild"
#: What a contract's code holds of the chain that it is on.
_OF_THE_CHAIN = {"_cachedChainId": "chainId", "_cachedDomainSeparator": "separator"}
_SLOTS = {
    "Splits": ("_sums", "_pages", "_leaves", "_standing", "_claimNonces"),
    "Licences": ("_termsHashes", "_licences", "_secondWords", "_periods", "_interest"),
}
_CALLS = {"Splits": ("claim", "claimTo")}


def generated() -> str:
    """The text of generated.js: addresses, code, slots, events and selectors of the packaged contracts."""
    planned = plan()
    facts: dict[str, Any] = {
        "ADDRESSES": {name: planned[name].address for name in CONTRACTS},
        "CODE": {name: _code(name) for name in CONTRACTS},
        "SLOTS": {name: {label: _slot(name, label) for label in labels} for name, labels in _SLOTS.items()},
        "EVENTS": {name: _events(name) for name in CONTRACTS},
        "SELECTORS": {
            name: {call: _selector(name, call) for call in calls} for name, calls in _CALLS.items()
        },
        "ERRORS": _errors("Splits"),
    }
    told = ["// Written by tools/build_verifier.py from the packaged artefacts.\n"]
    told += [f"export const {name} = {json.dumps(held, indent=1)};\n" for name, held in facts.items()]
    return "\n".join(told)


def _code(name: str) -> dict[str, Any]:
    """Hash of a contract's code; where that depends on the chain, its bytes and the places that differ."""
    planned = plan()
    one, held = planned[name], load(name)
    places = {
        label: [start for start, _ in held.immutables[which]]
        for which, label in _OF_THE_CHAIN.items()
        if which in held.immutables
    }
    code = expected_code(one, planned, 0)
    if not places:
        return {"hash": "0x" + keccak256(code).hex()}
    return {"runtime": base64.b64encode(code).decode(), **places}


def _slot(name: str, label: str) -> int:
    artefact = json.loads((ROOT / "ledger" / "chain" / "artefacts" / f"{name}.json").read_bytes())
    return next(int(one["slot"]) for one in artefact["storageLayout"]["storage"] if one["label"] == label)


def _events(name: str) -> dict[str, list[Any]]:
    """By topic 0: name, name of the indexed id, then type and name of each other field."""
    return {
        "0x" + shape.topic.hex(): [
            shape.name,
            shape.id_name,
            *([kind, label] for kind, label in zip(shape.types, shape.names, strict=True)),
        ]
        for shape in event_shapes(name).values()
    }


def _selector(name: str, call: str) -> str:
    artefact = json.loads((ROOT / "ledger" / "chain" / "artefacts" / f"{name}.json").read_bytes())
    found = [digits for told, digits in artefact["methodIdentifiers"].items() if told.split("(")[0] == call]
    if len(found) != 1:
        raise SystemExit(f"{name} has {len(found)} functions {call}")
    return "0x" + found[0]


def _errors(name: str) -> dict[str, str]:
    """The names of a contract's errors by selector."""
    artefact = json.loads((ROOT / "ledger" / "chain" / "artefacts" / f"{name}.json").read_bytes())
    found = {}
    for one in artefact["abi"]:
        if one["type"] == "error" and one["name"].startswith(f"{name}_"):
            signature = f"{one['name']}({','.join(part['type'] for part in one['inputs'])})"
            found["0x" + keccak256(signature.encode())[:4].hex()] = one["name"]
    return found


def permutation() -> str:
    """The text of keccak_f.js: Keccak-f[1600] on 50 halves of lanes, a round unrolled (FIPS 202, section 3.2)."""

    def turned(lane: int, by: int, half: int) -> str:
        """Half a lane after a rotation to the left; half 0 is the low one."""
        low, high = f"s[{2 * lane}]", f"s[{2 * lane + 1}]"
        if by % 64 >= 32:
            low, high = high, low
        mine, other = (low, high) if half == 0 else (high, low)
        by %= 32
        return f"({mine} << {by}) | ({other} >>> {32 - by})" if by else mine

    lines = []
    for x in range(5):
        for half, name in enumerate("lh"):
            column = " ^ ".join(f"s[{2 * (x + 5 * y) + half}]" for y in range(5))
            lines.append(f"    const c{x}{name} = {column};")
    for x in range(5):
        before, after = (x + 4) % 5, (x + 1) % 5
        for name, other in ("lh", "hl"):
            lines.append(
                f"    const d{x}{name} = c{before}{name} ^ ((c{after}{name} << 1) | (c{after}{other} >>> 31));"
            )
    lines += [
        f"    s[{2 * lane + half}] ^= d{lane % 5}{'lh'[half]};" for lane in range(25) for half in (0, 1)
    ]
    x, y, turns = 1, 0, {0: 0}
    for step in range(24):
        turns[x + 5 * y] = (step + 1) * (step + 2) // 2 % 64
        x, y = y, (2 * x + 3 * y) % 5
    for lane in range(25):
        x, y = lane % 5, lane // 5
        target = y + 5 * ((2 * x + 3 * y) % 5)
        for half, name in enumerate("lh"):
            lines.append(f"    const b{target}{name} = {turned(lane, turns[lane], half)};")
    for lane in range(25):
        x, y = lane % 5, lane // 5
        one, other = (x + 1) % 5 + 5 * y, (x + 2) % 5 + 5 * y
        for half, name in enumerate("lh"):
            mixed = f"b{lane}{name} ^ (~b{one}{name} & b{other}{name})"
            constant = f" ^ CONSTANTS[round + {half}]" if lane == 0 else ""
            lines.append(f"    s[{2 * lane + half}] = {mixed}{constant};")
    constants, register = [], 1
    for _ in range(24):
        value = 0
        for bit in range(7):
            value |= (register & 1) << ((1 << bit) - 1)
            register = register << 1 ^ (0x171 if register & 0x80 else 0)
        constants += [value & 0xFFFFFFFF, value >> 32]
    told = ", ".join(f"0x{one:x}" for one in constants)
    return "\n".join(
        (
            "// Written by tools/build_verifier.py: Keccak-f[1600], a round unrolled (FIPS 202, section 3.2).",
            f"const CONSTANTS = Int32Array.of({told});",
            "",
            "/** Permutes 25 lanes, given as 50 halves, the low one first. */",
            "export function permute(s) {",
            "  for (let round = 0; round < 48; round += 2) {",
            *lines,
            "  }",
            "}",
            "",
        )
    )


def bundle(sources: Path, entry: str, kind: str, target: Path) -> None:
    """One run of esbuild."""
    command = [
        shutil.which("node") or "node",
        str(ESBUILD),
        str(sources / entry),
        "--bundle",
        "--minify",
        "--charset=ascii",
        "--legal-comments=none",
        "--target=es2023",
        f"--format={kind}",
        f"--outfile={target}",
        "--log-level=warning",
    ]
    subprocess.run(command, cwd=sources.parent.parent, check=True)


def build(target: Path, sources: Path = SOURCES) -> None:
    """Writes verifier.js and verifier.mjs into a folder."""
    target.mkdir(parents=True, exist_ok=True)
    bundle(sources, "page.js", "iife", target / "verifier.js")
    bundle(sources, "index.js", "esm", target / "verifier.mjs")


#: The sources that are written here.
_WRITTEN = {"generated.js": generated, "keccak_f.js": permutation}


def check() -> list[str]:
    """What of the committed output is not what the sources give."""
    wrong = []
    for name, text in _WRITTEN.items():
        if (SOURCES / name).read_text(encoding="utf-8") != text():
            wrong.append(f"verifier/src/{name}")
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        for name in ("verifier.js", "verifier.mjs"):
            held = STATIC / name
            if not held.is_file() or held.read_bytes() != (Path(folder) / name).read_bytes():
                wrong.append(str(held.relative_to(ROOT)))
    return wrong


def main() -> int:
    """Builds, or checks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--check", action="store_true", help="compare with the committed output, write nothing"
    )
    parser.add_argument("--into", type=Path, help="build the sources as they stand into this folder")
    arguments = parser.parse_args()
    if arguments.into:
        build(arguments.into.resolve())
        return 0
    if arguments.check:
        wrong = check()
        for one in wrong:
            print(f"{one} is not what the sources give: run tools/build_verifier.py", file=sys.stderr)
        return 1 if wrong else 0
    for name, text in _WRITTEN.items():
        (SOURCES / name).write_text(text(), encoding="utf-8")
    build(STATIC)
    return 0


if __name__ == "__main__":
    sys.exit(main())
