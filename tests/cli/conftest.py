"""Runs commands in this process as a user would, and checks all JSON against the shipped schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR, MANIFEST, Ran, check_schema

from ledger.cli import main

Run = Callable[..., Ran]


@pytest.fixture
def run(capsys, monkeypatch) -> Run:
    """`run("chain", "status")`; keywords are options: `run(..., json=True, account="dev:0", rpc=url)`."""
    for name in ("RPC", "CHAIN_ID", "FILES", "FROM", "PASSWORD_FILE"):
        monkeypatch.delenv(f"LICENCE_LEDGER_{name}", raising=False)

    def go(*arguments: object, **options: object) -> Ran:
        line = [str(one) for one in arguments]
        for name, value in options.items():
            option = {"account": "--from"}.get(name, "--" + name.replace("_", "-"))
            line += [option] if value is True else [option, str(value)]
        capsys.readouterr()
        code = main(line)
        out, err = capsys.readouterr()
        ran = Ran(code, out, err)
        assert "Traceback" not in out + err
        if options.get("json"):
            held = json.loads(out)
            check_schema("envelope", held)
            ran.data, ran.error = held.get("data", {}), held.get("error", {})
            ran.next = held.get("next", [])
            assert held["ok"] == (code == 0)
            if held["ok"]:
                check_schema(held["command"].replace(" ", "."), held["data"])
            else:
                assert ran.error["exit_code"] == code
        return ran

    return go


@pytest.fixture
def on(run, node) -> Run:
    """The same on the tests' local chain, on which the ledger is deployed."""

    def go(*arguments: object, **options: object) -> Ran:
        return run(*arguments, rpc=node.url, **options)

    return go


@pytest.fixture
def unsent(node):
    """Says how many blocks the local chain got since: none if nothing was sent."""
    start = int(node.rpc.call("eth_blockNumber"), 16)
    return lambda: int(node.rpc.call("eth_blockNumber"), 16) - start


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    path = tmp_path / "manifest.csv"
    path.write_text(MANIFEST)
    return path


@pytest.fixture
def catalogue(on, manifest, request) -> dict[str, Any]:
    """Catalogue 1, of the licensor; a test may give more options."""
    more = getattr(request, "param", {})
    return on("catalogue", "create", manifest, title="Songs", account=LICENSOR, json=True, **more).data


@pytest.fixture
def terms(catalogue, dollar) -> dict[str, Any]:
    """A hybrid licence's terms; tests change what they are about."""
    return {
        "terms": "1",
        "title": "Songs for Muse",
        "catalogue": catalogue["catalogue"],
        "licensor": ADDRESS[LICENSOR],
        "works_root": catalogue["works_root"],
        "model": {"name": "Muse", "version": "1"},
        "scope": ["TRAIN", "INFER"],
        "reach": {"start": "2024-01-01", "end": "2025-01-01"},
        "money": {
            "token": dollar.address,
            "symbol": dollar.symbol,
            "decimals": 6,
            "upfront_fee": "100",
            "advance": True,
            "tiers": [{"up_to": "1000", "rate_ppm": 100_000}, {"rate_ppm": 80_000}],
            "deduction_cap_ppm": 150_000,
            "guarantee": "10",
            "late_rate_ppm": 80_000,
        },
        "duties": {
            "reporting_period": "MONTH",
            "days_to_report": 10,
            "days_to_pay": 20,
            "attribution": "SOURCE_LIST",
        },
        "control": {"cure_days": 30, "governing_law": "England"},
    }


@pytest.fixture
def write(tmp_path: Path) -> Callable[[object], Path]:
    """Writes a value as a JSON file."""

    def put(value: object) -> Path:
        path = tmp_path / "written.json"
        path.write_text(json.dumps(value))
        return path

    return put


@pytest.fixture
def offer(on, terms, write, tmp_path: Path) -> Path:
    """A signed offer file."""
    path = tmp_path / "offer.json"
    done = on("licence", "offer", write(terms), "--out", path, account=LICENSOR, json=True)
    assert done.code == 0, done.error
    return path


@pytest.fixture
def licence(on, offer) -> int:
    """Licence 1, accepted by the licensee, who has money left."""
    on("token", "mint", "100000", account=LICENSEE)
    return on("licence", "accept", offer, account=LICENSEE, json=True).data["licence"]
