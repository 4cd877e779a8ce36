"""The known faults of the pinned compiler: the list is for our version, and no source has such a form."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACTS = ROOT / "contracts"
LIST: dict[str, Any] = json.loads(
    (ROOT / "docs/reference/known-compiler-faults.json").read_text(encoding="utf-8")
)
PINNED: str = LIST["compiler"]
SOURCES = sorted(CONTRACTS.rglob("*.sol"))

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
NAME = r"[A-Za-z_$][\w$.]*"
# Which arguments of an instruction are addresses of memory, storage or transient storage.
ADDRESSES = {
    **dict.fromkeys(("mload", "mstore", "mstore8", "sload", "sstore", "tload", "tstore", "keccak256"), (0,)),
    **dict.fromkeys(("return", "revert", "log0", "log1", "log2", "log3", "log4"), (0,)),
    **dict.fromkeys(("calldatacopy", "codecopy", "returndatacopy"), (0,)),
    **dict.fromkeys(("call", "callcode"), (3, 5)),
    **dict.fromkeys(("delegatecall", "staticcall"), (2, 4)),
    "mcopy": (0, 1),
    "extcodecopy": (1,),
    "create": (1,),
    "create2": (1,),
}


def code(text: str) -> str:
    """The source without its comments."""
    return COMMENT.sub(" ", text)


def balanced(text: str, at: int) -> str:
    """What stands between the bracket at `at` and its partner."""
    depth = 0
    for end in range(at, len(text)):
        depth += (text[end] in "({[") - (text[end] in ")}]")
        if depth == 0:
            return text[at + 1 : end]
    raise ValueError("unbalanced brackets")


def arguments(text: str) -> list[str]:
    """The parts of an argument list, by the commas at its own level."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "({[") - (char in ")}]")
        if char == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def assembly_blocks(text: str) -> Iterator[str]:
    for match in re.finditer(r'\bassembly\s*(?:"\w+"\s*)?(?:\([^)]*\)\s*)?\{', text):
        yield balanced(text, match.end() - 1)


def scope_end(block: str, at: int) -> int:
    """Where a variable declared at `at` ends: with its block, or with the loop whose first block that is."""
    depth, start = 0, at
    while start > 0 and depth < 1:
        start -= 1
        depth += (block[start] == "{") - (block[start] == "}")
    if depth < 1:
        return len(block)
    end = start + len(balanced(block, start)) + 1
    if re.search(r"\bfor\s*$", block[:start]):
        for _ in range(2):
            following = block.index("{", end)
            end = following + len(balanced(block, following)) + 1
    return end


def assembly_addresses_are_assigned_once(text: str) -> list[str]:
    """Variables within an address argument that are assigned more than once, their declaration included."""
    found = []
    for block in assembly_blocks(text):
        declared: list[tuple[str, int, int]] = []
        for match in re.finditer(rf"\blet\s+({NAME}(?:\s*,\s*{NAME})*)", block):
            end = scope_end(block, match.start())
            declared += [(name, match.start(), end) for name in re.findall(NAME, match[1])]

        def variable(name: str, at: int, declared: list[tuple[str, int, int]] = declared) -> tuple[str, int]:
            starts = [start for known, start, end in declared if known == name and start <= at < end]
            return name, max(starts, default=-1)

        assigned: Counter[tuple[str, int]] = Counter()
        for match in re.finditer(rf"({NAME}(?:\s*,\s*{NAME})*)\s*:=", block):
            assigned.update(variable(name, match.start()) for name in re.findall(NAME, match[1]))
        for match in re.finditer(rf"\b({'|'.join(ADDRESSES)})\s*\(", block):
            given = arguments(balanced(block, match.end() - 1))
            for place in ADDRESSES[match[1]]:
                used = sorted(set(re.findall(NAME, given[place])))
                found += [
                    f"{match[1]} at {name}" for name in used if assigned[variable(name, match.start())] > 1
                ]
    return found


def no_delete_in_memory_bytes(text: str) -> list[str]:
    """`delete b[i]` where b is bytes in memory."""
    inside = set(re.findall(r"\bbytes\s+memory\s+(\w+)", text))
    return [name for name in re.findall(r"\bdelete\s+(\w+)\s*\[", text) if name in inside]


def no_named_errors_in_require(text: str) -> list[str]:
    """`require(condition, SomeError({ ... }))`."""
    found = []
    for match in re.finditer(r"\brequire\s*\(", text):
        given = arguments(balanced(text, match.end() - 1))
        found += [part.strip() for part in given[1:] if re.search(r"\(\s*\{", part)]
    return found


def no_recursion(text: str) -> list[str]:
    """Functions that call themselves, directly or by way of others of their contract."""
    calls: dict[str, set[str]] = {}
    bodies: dict[str, str] = {}
    for match in re.finditer(r"\bfunction\s+(\w+)\s*\([^{};]*\{", text):
        bodies.setdefault(match[1], "")
        bodies[match[1]] += balanced(text, match.end() - 1)
    for name, body in bodies.items():
        calls[name] = {other for other in bodies if re.search(rf"(?<![.\w]){other}\s*\(", body)}
    found = []
    for name in calls:
        reached, waiting = set[str](), [name]
        while waiting:
            for other in calls[waiting.pop()] - reached:
                reached.add(other)
                waiting.append(other)
        if name in reached:
            found.append(name)
    return found


def no_placed_layout(text: str) -> list[str]:
    """`contract C layout at ...`."""
    return re.findall(r"\blayout\s+at\b", text)


def optimiser_steps_are_the_default(text: str) -> list[str]:
    """Nothing in the source decides on steps; the artefacts tell, below."""
    return []


CHECKS: dict[str, Callable[[str], list[str]]] = {
    check.__name__: check
    for check in (
        assembly_addresses_are_assigned_once,
        no_delete_in_memory_bytes,
        no_named_errors_in_require,
        no_recursion,
        no_placed_layout,
        optimiser_steps_are_the_default,
    )
}


def version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split("."))


def present(fault: dict[str, Any]) -> bool:
    """Whether the pinned version has the fault."""
    after = fault["fixed"] is None or version(PINNED) < version(fault["fixed"])
    return version(fault["introduced"]) <= version(PINNED) and after


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(CONTRACTS)))
def test_source_pins_the_compiler_exactly(source: Path) -> None:
    pragmas = re.findall(r"pragma\s+solidity\s+([^;]+);", code(source.read_text(encoding="utf-8")))
    assert pragmas == [PINNED]


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: str(path.relative_to(CONTRACTS)))
def test_source_has_no_form_that_a_fault_needs(source: Path) -> None:
    text = code(source.read_text(encoding="utf-8"))
    assert {name: check(text) for name, check in CHECKS.items() if check(text)} == {}


def test_the_version_is_the_same_everywhere() -> None:
    assert json.loads((ROOT / "package.json").read_text())["dependencies"]["solc"] == PINNED
    assert f'SOLC_VERSION: Final = "{PINNED}"' in (ROOT / "tools/compiling/pins.py").read_text(
        encoding="utf-8"
    )
    rules = json.loads((ROOT / ".solhint.json").read_text())["rules"]
    assert rules["compiler-version"] == ["error", PINNED]
    for path in sorted((ROOT / "ledger/chain/artefacts").glob("*.json")):
        assert json.loads(path.read_bytes())["compiler"]["version"].startswith(f"{PINNED}+commit.")


def test_artefacts_are_built_by_the_settings_of_the_list() -> None:
    paths = sorted((ROOT / "ledger/chain/artefacts").glob("*.json"))
    assert paths
    for path in paths:
        settings = json.loads(path.read_bytes())["compiler"]["settings"]
        assert settings["viaIR"] is LIST["settings"]["viaIR"]
        assert settings["evmVersion"] == LIST["settings"]["evmVersion"]
        assert settings["optimizer"]["enabled"] is LIST["settings"]["optimizer"]
        # No steps of our own: the default sequence.
        assert "details" not in settings["optimizer"]


def test_every_fault_says_why_and_names_checks_that_exist() -> None:
    names = [fault["name"] for fault in LIST["faults"]]
    assert len(set(names)) == len(names)
    used = set()
    for fault in LIST["faults"]:
        assert len(fault["why"]) > 30
        assert set(fault["checks"]) <= CHECKS.keys()
        used |= set(fault["checks"])
        if present(fault):
            assert fault["checks"], (
                f"{fault['name']} is in {PINNED}: something has to check that it cannot touch us"
            )
            assert fault["severity"] not in ("medium", "high")
    assert used == CHECKS.keys()


def test_the_document_tells_of_every_fault_that_is_present() -> None:
    text = (ROOT / "docs/reference/known-compiler-faults.md").read_text(encoding="utf-8")
    assert f"solc **{PINNED}**" in text
    present_names = [fault["name"] for fault in LIST["faults"] if present(fault)]
    assert present_names == [
        "YulOptimizerKnowledgeBaseStaleBookkeeping",
        "UnusedStoreEliminatorWithoutSSATransformation",
    ]
    assert "Two faults are present" in text


@pytest.mark.parametrize(
    ("name", "bad", "good"),
    [
        (
            "assembly_addresses_are_assigned_once",
            "assembly { let p := mload(0x40) mstore(p, 1) p := add(p, 32) }",
            "assembly { for { let i := 0 } lt(i, n) { i := add(i, 1) } { let p := i mstore(p, 1) } }",
        ),
        (
            "assembly_addresses_are_assigned_once",
            'assembly ("memory-safe") { for { let i := 0 } lt(i, 9) { i := add(i, 1) } { sstore(i, 0) } }',
            'assembly ("memory-safe") { x := mload(0x40) mstore(add(x, 4), y) y := 1 y := 2 }',
        ),
        (
            "assembly_addresses_are_assigned_once",
            "assembly { let o := 0 o := 32 ok := call(gas(), t, 0, 0, 68, o, 32) }",
            "assembly { let t := 0 t := 32 ok := call(gas(), t, 0, 0, 68, o, 32) }",
        ),
        (
            "no_delete_in_memory_bytes",
            "bytes memory b = new bytes(3); delete b[1];",
            "mapping(uint256 => uint256) b; bytes memory c; delete b[1]; delete c;",
        ),
        (
            "no_named_errors_in_require",
            "require(a > f(b, c), Errors.Bad({ x: 1, y: 2 }));",
            "require(f({ a: 1 }) > 2, Errors.Bad(1, 2)); revert Errors.Bad({ x: 1, y: 2 });",
        ),
        (
            "no_recursion",
            "function a(uint256 x) private { b(x); } function b(uint256 x) private { c(); a(x); }",
            "function a(uint256 x) private { b(x); } function b(uint256 x) private { super.a(x); }",
        ),
        ("no_placed_layout", "contract C layout at 0x1234 {", "uint256 layoutAt;"),
    ],
)
def test_checks_catch_what_they_are_for(name: str, bad: str, good: str) -> None:
    assert CHECKS[name](code(bad))
    assert not CHECKS[name](code(good))
