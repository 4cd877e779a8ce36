"""Writes the reference pages out of what they describe: `python tools/reference.py [--check]`.

docs/reference/cli.md        the command line, out of its own help
docs/reference/contracts.md  the contracts, out of the NatSpec of their interfaces (build/natspec.json, which
                             `python tools/build.py --analyse` makes)
docs/reference/errors.md     what contracts refuse, out of ledger/domain/revert_table.py
docs/explain/promises.md     between its markers: the tests and mutants of each promise, out of tests/
"""

from __future__ import annotations

import argparse
import inspect
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
PROMISES = ROOT / "docs" / "explain" / "promises.md"
NATSPEC = ROOT / "build" / "natspec.json"
_MADE = "<!-- Made by tools/reference.py; do not edit. -->"

#: Interfaces in the order of a licence's life; a name may stand in another's file.
INTERFACES = (
    ("Splits", "ISplits", "ISplits"),
    ("Splits", "ISplits", "ISplitsPayer"),
    ("Catalogues", "ICatalogues", "ICatalogues"),
    ("Licences", "ILicences", "ILicences"),
    ("LicenceViews", "ILicenceViews", "ILicenceViews"),
    ("Distributions", "IDistributions", "IDistributions"),
    ("Attributions", "IAttributions", "IAttributions"),
)


#: Contracts that have errors of their own.
CONTRACTS = ("Splits", "Catalogues", "Licences", "Distributions", "Attributions")


def _table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    """A Markdown table; bars within cells are escaped."""
    heads = list(heads)
    yield "| " + " | ".join(heads) + " |"
    yield "|" + "---|" * len(heads)
    for row in rows:
        yield "| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |"


def _sentence(text: str) -> str:
    return " ".join(text.split())


# ---------------------------------------------------------------------------------- command line


def nouns() -> dict[str, tuple[str, str, str]]:
    """The nouns whose module is there."""
    from ledger.cli.registry import NOUNS

    return {name: held for name, held in NOUNS.items() if find_spec(held[0]) is not None}


def commands() -> Iterator[tuple[str, Any]]:
    """Every command, such as `chain start`, with its Click command."""
    import typer

    for noun, (module, verbs, _) in nouns().items():
        found = typer.main.get_command(import_module(module).app)
        if not verbs:
            yield noun, found
            continue
        held = getattr(found, "commands", {})
        for verb in verbs.split():
            if verb in held:
                yield f"{noun} {verb}", held[verb]


def command_line() -> str:
    """docs/reference/cli.md."""
    from ledger.cli.registry import OPTIONS

    lines = ["# The command line", "", _MADE, ""]
    lines += [
        "`licence-ledger NOUN [VERB] [options]`. Data goes to stdout, talk and progress to stderr. Every",
        "command takes `--json`, whose shape is in `ledger/data/schemas/cli/`: the envelope of all, and a",
        "schema for each command's data. Each command names the next one to try.",
        "",
        "## Options of every command",
        "",
        "They may stand anywhere on the command line.",
        "",
    ]
    lines += _table(
        ("option", "what it does"),
        ((f"`{f'{name} {value}'.strip()}`", _sentence(text)) for name, value, text in OPTIONS),
    )
    lines += ["", "## Exit codes", ""]
    lines += _table(("code", "meaning"), _exit_codes())
    for noun, (_, verbs, text) in nouns().items():
        lines += ["", f"## {noun}", "", text[0].upper() + text[1:] + "."]
        for name, command in commands():
            if name.split()[0] == noun:
                lines += _one_command(name, command, alone=not verbs)
    return "\n".join(lines) + "\n"


def _exit_codes() -> list[tuple[int, str]]:
    from ledger.domain.errors import ExitCode

    said = {
        ExitCode.OK: "done",
        ExitCode.FAULT: "a fault in licence-ledger itself",
        ExitCode.USAGE: "the command line, a file or a value is not acceptable; nothing was sent",
        ExitCode.UNREACHABLE: "no node answers, or it is on another chain",
        ExitCode.AUDIT_FAILED: "what was checked does not agree",
        ExitCode.REVERTED: "a contract refused the call",
        ExitCode.INCOMPLETE: "it stopped half way; run the same command again and it finishes",
    }
    return [(int(code), said[code]) for code in ExitCode]


def _one_command(name: str, command: Any, *, alone: bool) -> Iterator[str]:
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    options = [one for one in command.params if one.param_type_name == "option" and one.name != "help"]
    shown = [one.name.upper() if one.required else f"[{one.name.upper()}]" for one in arguments]
    if not alone:
        yield from ("", f"### {name}")
    usage = " ".join(["licence-ledger", name, *shown, *(["[options]"] if options else [])])
    yield from ("", f"`{usage}`", "", _sentence(inspect.cleandoc(command.help or "")))
    rows = [(f"`{one.name.upper()}`", _sentence(one.help or "")) for one in arguments]
    rows += [(_option(one), _sentence(one.help or "") + _default(one)) for one in options]
    if rows:
        yield ""
        yield from _table(("", ""), rows)


def _option(option: Any) -> str:
    flag = "/".join([*option.opts, *option.secondary_opts])
    return f"`{flag}`" if option.is_flag else f"`{flag} {_value(option)}`"


def _value(option: Any) -> str:
    """What stands for an option's value: its own word, else what its name ends with."""
    return str(option.metavar or option.name.removeprefix("out_").rpartition("_")[2].upper())


def _default(option: Any) -> str:
    told = option.is_flag or option.default in (None, "", ()) or "default" in (option.help or "").lower()
    return "" if told or callable(option.default) else f" (default: {option.default})"


# ------------------------------------------------------------------------------------- contracts


def natspec() -> dict[str, Any]:
    """What the compiler says of every source. Raises SystemExit where it was never asked."""
    try:
        held: dict[str, Any] = json.loads(NATSPEC.read_bytes())
    except FileNotFoundError:
        sys.exit("build/natspec.json is missing: python tools/build.py --analyse")
    return held


def contracts() -> str:
    """docs/reference/contracts.md."""
    held = natspec()
    lines = ["# The contracts", "", _MADE, ""]
    lines += [
        "Out of the NatSpec in `contracts/interfaces/`, where requirements, structs and formulas stand in",
        "full. Amounts are base units of the token, times Unix seconds, rates parts per million. No contract",
        "has an owner, an upgrade or a pause; their addresses are the same on every chain and",
        "`licence-ledger deploy` shows them.",
        "What each refuses, and why: [errors](errors.md).",
    ]
    for contract, file, name in INTERFACES:
        spec = held[f"contracts/interfaces/{file}.sol"][name]
        title = contract if file == name else f"{name}: to be implemented by a contract that pays by callback"
        lines += ["", f"## {title}", "", _sentence(spec["userdoc"].get("notice", ""))]
        inherited = _inherited(held, name)
        for kind, heading in (("nonpayable", "Changes"), ("view", "Asks")):
            found = [one for one in _functions(spec["abi"], kind) if _signature(one) not in inherited]
            if found:
                lines += ["", *_table((heading, ""), ((_shown(one), _told(spec, one)) for one in found))]
        events = [one for one in spec["abi"] if one["type"] == "event"]
        if events:
            rows = ((f"`{one['name']}`", _event(spec, one)) for one in events)
            lines += ["", *_table(("Event", ""), rows)]
    return "\n".join(lines) + "\n"


def _inherited(held: dict[str, Any], name: str) -> set[str]:
    if name not in ("ILicences", "IDistributions"):
        return set()
    payer = held["contracts/interfaces/ISplits.sol"]["ISplitsPayer"]["abi"]
    return {_signature(one) for one in payer if one["type"] == "function"}


def _functions(abi: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    views = ("view", "pure")
    return [
        one
        for one in abi
        if one["type"] == "function" and (one["stateMutability"] in views) == (kind == "view")
    ]


def _signature(entry: dict[str, Any]) -> str:
    return f"{entry['name']}({','.join(_type(one) for one in entry['inputs'])})"


def _type(entry: dict[str, Any]) -> str:
    kind: str = entry["type"]
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type(one) for one in entry['components'])}){kind.removeprefix('tuple')}"


def _shown(entry: dict[str, Any]) -> str:
    return f"`{entry['name']}({', '.join(one['name'] for one in entry['inputs'])})`"


def _told(spec: dict[str, Any], entry: dict[str, Any]) -> str:
    name = _signature(entry)
    notice = spec["userdoc"].get("methods", {}).get(name, {}).get("notice", "")
    details = spec["devdoc"].get("methods", {}).get(name, {}).get("details", "")
    return _sentence(f"{notice} {details}")


def _event(spec: dict[str, Any], entry: dict[str, Any]) -> str:
    return _sentence(spec["userdoc"].get("events", {}).get(_signature(entry), {}).get("notice", ""))


# ---------------------------------------------------------------------------------------- errors


def errors() -> str:
    """docs/reference/errors.md."""
    from ledger.domain.revert_table import TABLE, TERMS_FIELDS

    lines = ["# What the contracts refuse", "", _MADE, ""]
    lines += [
        "Every custom error, the sentence in which the command line tells it, and what to do. The command",
        "ends with exit code 5, and `--json` gives the error's name and arguments.",
    ]
    groups: dict[str, list[tuple[str, str, str]]] = {}
    for signature, sentence, remedy in TABLE:
        head, mark, _ = signature.partition("_")
        known = mark and head in CONTRACTS
        groups.setdefault(head if known else "Tokens and the language", []).append(
            (f"`{signature.partition('(')[0]}`", sentence, remedy)
        )
    for name, rows in groups.items():
        lines += ["", f"## {name}", "", *_table(("error", "what it says", "what to do"), rows)]
    fields = ", ".join(f"{number} {name}" for number, name in enumerate(TERMS_FIELDS))
    lines += ["", f"Fields of terms, as `Licences_BadTerms` counts them: {fields}."]
    return "\n".join(lines) + "\n"


# -------------------------------------------------------------------------------------- promises

_BLOCK = re.compile(r"(<!-- tests of (P-\d\d) -->\n).*?(<!-- end -->)", re.DOTALL)


def evidence(promise: str) -> tuple[list[str], list[str]]:
    """The test files that name a promise, and the names of its mutants."""
    mark = promise.lower().replace("-", "")
    solidity = rf"function (?:test|invariant)\w*[pP]{mark[1:]}(?![0-9])"
    named = re.compile(rf"def test_\w*{mark}(?![0-9])|{solidity}|\b{promise}\b")
    tests = ROOT / "tests"
    files = [
        path.relative_to(ROOT).as_posix()
        for pattern in ("test_*.py", "*.t.sol")
        for path in sorted(tests.rglob(pattern))
        if path.is_relative_to(tests)
        and not {"mutants", "docs"} & set(path.relative_to(tests).parts)
        and named.search(path.read_text(encoding="utf-8"))
    ]
    listed = tomllib.loads((tests / "mutants" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]
    return files, [one["name"] for one in listed if one["promise"] == promise]


def promises() -> str:
    """docs/explain/promises.md, its marked parts fresh."""

    def fresh(block: re.Match[str]) -> str:
        files, mutants = evidence(block[2])
        shown = ", ".join(f"[{Path(file).stem}](../../{file})" for file in files) or "none yet"
        return f"{block[1]}Tests: {shown}.\nMutants killed: {'; '.join(mutants) or 'none yet'}.\n{block[3]}"

    return _BLOCK.sub(fresh, PROMISES.read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------------ main

PAGES: dict[Path, Callable[[], str]] = {
    REFERENCE / "cli.md": command_line,
    REFERENCE / "contracts.md": contracts,
    REFERENCE / "errors.md": errors,
    PROMISES: promises,
}


def main(arguments: list[str] | None = None) -> int:
    """The command; with --check it writes nothing and ends with 1 where a page is not current."""
    parser = argparse.ArgumentParser(prog="python tools/reference.py", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; say what is not current")
    check = parser.parse_args(arguments).check
    stale = 0
    for page, make in PAGES.items():
        text = make()
        if page.is_file() and page.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        name = page.relative_to(ROOT)
        if not check:
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(text, encoding="utf-8")
        print(f"{name} {'is not current: python tools/reference.py' if check else 'is written'}")
    return int(check and stale > 0)


if __name__ == "__main__":
    sys.exit(main())
