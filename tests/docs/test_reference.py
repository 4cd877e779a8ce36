"""The reference is complete and current: commands, contracts, errors, promises."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from types import ModuleType

import pytest
from _pages import DOCS, ROOT, name_of

from ledger.cli import main
from ledger.cli.registry import NOUNS

PROMISES = [f"P-{number:02}" for number in range(1, 19)]
DEPLOYED = ("Splits", "Catalogues", "Licences", "LicenceViews", "Distributions", "Attributions")


def _tool() -> ModuleType:
    place = importlib.util.spec_from_file_location("reference", ROOT / "tools" / "reference.py")
    assert place is not None
    assert place.loader is not None
    module = importlib.util.module_from_spec(place)
    place.loader.exec_module(module)
    return module


tool = _tool()
COMMANDS = [
    f"{noun} {verb}".strip() for noun, (_, verbs, _) in NOUNS.items() for verb in verbs.split() or [""]
]


@pytest.fixture(scope="session")
def natspec():
    """What the compiler says of the sources as they are now."""
    done = subprocess.run(
        [sys.executable, "tools/build.py", "--analyse"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return tool.natspec()


@pytest.mark.parametrize("page", list(tool.PAGES), ids=name_of)
def test_made_pages_are_current(page, request):
    if page.name == "contracts.md":
        request.getfixturevalue("natspec")
    assert page.read_text(encoding="utf-8") == tool.PAGES[page](), "run: python tools/reference.py"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_stands_in_the_reference(command, capsys):
    assert main([*command.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"Usage: licence-ledger {command}" in " ".join(shown.split())
    page = (DOCS / "reference" / "cli.md").read_text(encoding="utf-8")
    assert f"\n`licence-ledger {command}" in page
    about = dict(tool.commands())[command]
    assert about.help
    for one in about.params:
        assert getattr(one, "help", ""), f"{command}: {one.name} has no help"


def test_every_command_has_a_page_that_uses_it():
    pages = [
        ROOT / "README.md",
        *DOCS.joinpath("tutorials").glob("*.md"),
        *DOCS.joinpath("guides").glob("*.md"),
    ]
    used = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert not [one for one in COMMANDS if f"licence-ledger {one}" not in used and one != "demo"]


# ---- contracts


def _interfaces(natspec):
    for path, found in natspec.items():
        if path.startswith("contracts/interfaces/"):
            yield from found.items()


def test_every_external_function_and_event_has_its_text(natspec):
    bare = []
    for name, spec in _interfaces(natspec):
        told = spec["userdoc"]
        assert told.get("notice"), f"{name} has no notice"
        for entry in spec["abi"]:
            kind = {"function": "methods", "event": "events"}.get(entry["type"])
            if kind and not told.get(kind, {}).get(tool._signature(entry), {}).get("notice"):
                bare.append(f"{name}.{tool._signature(entry)}")
    assert not bare


@pytest.mark.parametrize("name", DEPLOYED)
def test_contracts_have_no_function_or_event_without_text(natspec, name):
    spec = natspec[f"contracts/{name}.sol"][name]
    bare = []
    for entry in spec["abi"]:
        kind = {"function": "methods", "event": "events"}.get(entry["type"])
        signature = tool._signature(entry) if kind else ""
        # OpenZeppelin writes @dev where we write @notice.
        texts = [spec[doc].get(kind, {}).get(signature, {}) for doc in ("userdoc", "devdoc")] if kind else []
        if kind and not (texts[0].get("notice") or texts[1].get("details")):
            bare.append(signature)
    assert not bare


# ---- promises


@pytest.mark.parametrize("promise", PROMISES)
def test_every_promise_stands_on_its_page_with_its_tests_and_mutants(promise):
    page = (DOCS / "explain" / "promises.md").read_text(encoding="utf-8")
    assert len(re.findall(rf"^## {promise} ", page, re.MULTILINE)) == 1
    assert page.count(f"<!-- tests of {promise} -->") == 1
    files, mutants = tool.evidence(promise)
    assert files
    assert mutants
