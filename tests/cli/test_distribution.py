"""distribution: a usage-weighted period from the usage file to the payees, with every step and refusal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR
from _reporting import after, month

ANN, BOB, ARBITER, DEE = "dev:3", "dev:4", "dev:5", "dev:6"
WHO = {
    ANN: "0x90F79bf6EB2c4f870365E785982E1f101E93b906",
    BOB: "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65",
    DEE: "0x976EA74026E726554dB657fA54763abd0C3a0aa9",
}
WORKS = f"""\
work,title,holder,payee,share,right,isrc
song-1,First,Ann,{WHO[ANN]},1/4,work,GBAYE0601498
song-1,First,Bob,{WHO[BOB]},3/4,work,GBAYE0601498
song-2,Second,Cy,,1000000,work,
song-3,Third,Dee,{WHO[DEE]},1000000,work,
"""


@pytest.fixture
def pool(on, tmp_path, terms, write, ledger) -> dict[str, Any]:
    """Licence 1 of catalogue 2, weighted by use; its period 0 reported with 1,000.00 at 10 % and paid."""
    manifest = tmp_path / "works.csv"
    manifest.write_text(WORKS)
    made = on(
        "catalogue", "create", manifest, title="Pool", arbiter=ARBITER, dispute_days=5, arbiter_days=7,
        account=LICENSOR, json=True,
    ).data  # fmt: skip
    terms = terms | {"catalogue": made["catalogue"], "works_root": made["works_root"]}
    terms["money"] = terms["money"] | {
        "upfront_fee": "0",
        "advance": False,
        "guarantee": "0",
        "tiers": [{"rate_ppm": 100_000}],
    }
    terms["pool"] = {
        "weighted": True,
        "distributions": ledger.addresses["Distributions"],
        "allocation": "USAGE",
    }
    path = tmp_path / "pool.json"
    offered = on("licence", "offer", write(terms), "--out", path, account=LICENSOR, json=True)
    assert offered.code == 0, offered.error
    on("token", "mint", "100000", account=LICENSEE)
    licence = on("licence", "accept", path, account=LICENSEE, json=True).data["licence"]
    return {"licence": licence, "manifest": manifest, "terms": terms}


def usage_file(tmp_path, licence: int, uses: dict[str, int], name: str = "usage.csv"):
    first, last = month(0)
    lines = ["LicenceId,UseType,UsageStartDate,UsageEndDate,DspResourceId,Usages"]
    lines += [f"{licence},aill::AiInference,{first},{last},{work},{count}" for work, count in uses.items()]
    path = tmp_path / name
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def paid(on, node, pool, tmp_path) -> dict[str, Any]:
    """Period 0 is over, reported and paid; its usage imported."""
    after(node, "2024-02-02")
    done = on("report", "submit", pool["licence"], "1000.00", "--pay", account=LICENSEE, json=True)
    assert done.code == 0, done.error
    file = usage_file(tmp_path, pool["licence"], {"song-1": 60, "song-2": 10, "song-3": 30})
    imported = on("usage", "import", file, manifest=pool["manifest"], json=True)
    assert imported.code == 0, imported.error
    return pool | {"usage": imported.data["folder"]}


def test_the_agenda_names_the_licensor_first(on, paid):
    found = [one for one in on("agenda", json=True).data["items"] if one["kind"] == "distribution"]
    assert [(one["who"], one["amount"]["units"]) for one in found] == [(ADDRESS[LICENSOR], "100000000")]


def built(on, paid, out, **more) -> dict[str, Any]:
    done = on("distribution", "build", paid["licence"], 0, paid["usage"], "--out", out, json=True, **more)
    assert done.code == 0, done.error
    return done.data


@pytest.mark.parametrize(
    ("days", "code"),
    [
        ("2024-01-01,2024-01-31", 0),
        ("2024-02-01,2024-02-29", 2),
        ("2024-01-01,2024-02-29", 2),
        ("2024-01-02,2024-01-31", 2),
        ("2024-01-01,2024-01-30", 2),
        ("2024-01-01,", 2),
        (",", 0),
    ],
)
def test_a_usage_report_is_of_one_whole_period(on, paid, tmp_path, days, code):
    """P-18: what is divided by use is divided by the use of that very period; a table without days is taken for it."""
    path = tmp_path / "other.csv"
    head = "LicenceId,UseType,UsageStartDate,UsageEndDate,DspResourceId,Usages"
    path.write_text(f"{head}\n{paid['licence']},aill::AiInference,{days},song-1,60\n")
    imported = on("usage", "import", path, manifest=paid["manifest"], json=True).data["folder"]
    done = on("distribution", "build", paid["licence"], 0, imported, "--out", tmp_path / "out", json=True)
    assert done.code == code
    if code:
        assert "not of period 0" in done.error["what"]
        assert "2024-01-01 to 2024-01-31" in done.error["why"]
        assert not (tmp_path / "out").exists()


def test_from_usage_to_payees(on, node, paid, tmp_path):
    licence, out = paid["licence"], tmp_path / "out"
    made = built(on, paid, out)
    assert [made[name]["units"] for name in ("amount", "distributed", "held")] == [
        "100000000",
        "90000000",
        "10000000",
    ]
    early = on("distribution", "post", licence, 0, out, account=LICENSOR, json=True)
    assert (early.code, "not public" in early.error["what"]) == (2, True)
    published = on("distribution", "publish", out, account=ANN, json=True).data
    assert (published["sent"], published["payees"]) == (True, 3)
    assert on("distribution", "publish", out, account=ANN, json=True).data["sent"] is False
    stranger = on("distribution", "post", licence, 0, out, account=ANN, json=True)
    assert (stranger.code, "neither licensor nor licensee" in stranger.error["what"]) == (2, True)
    posted = on("distribution", "post", licence, 0, out, account=LICENSOR, json=True)
    assert posted.code == 0, posted.error
    assert posted.data["rounds"][0]["stage"] == "open to objections"
    agenda = on("agenda", licence, json=True).data["items"]
    assert [one["what"][:22] for one in agenda if one["kind"] == "distribution"] == ["distribute period 0: p"]
    too_early = on("distribution", "settle", licence, 0, account=DEE, json=True)
    assert (too_early.code, "payees may object" in too_early.error["why"].lower()) == (2, True)
    after(node, "2024-02-08")
    settled = on("distribution", "settle", licence, 0, account=DEE, json=True)
    assert settled.code == 0, settled.error
    assert (settled.data["moved"]["units"], settled.data["waits"]["units"]) == ("90000000", "10000000")
    assert on("payout", "run", "--licence", licence, account=DEE, json=True).data["payees"] == 3
    for who, units in ((ANN, 15_000_000), (BOB, 45_000_000), (DEE, 30_000_000)):
        told = on("explain", WHO[who], json=True).data
        assert told["tokens"][0]["earned"]["units"] == told["tokens"][0]["paid"]["units"] == str(units)
        names = [step["what"] for step in told["credits"][0]["steps"]]
        assert {"gross revenue", "net revenue", "tier", "line", "held", "settled", "your part"} <= set(names)
    checked = on("verify", json=True)
    assert checked.code == 0, checked.error
    # What was held for Cy is matched later, and goes to Cy alone.
    paid["manifest"].write_text(WORKS.replace("Cy,,", f"Cy,{ADDRESS['dev:2']},"))
    assert on("catalogue", "announce", 2, paid["manifest"], account=LICENSOR, json=True).code == 0
    later = tmp_path / "later"
    more = built(on, paid, later, supplement=out)
    assert (more["amount"]["units"], more["held"]["units"], more["payees"]) == ("10000000", "0", 1)
    assert on("distribution", "publish", later, account=LICENSOR).code == 0
    assert on("distribution", "post", licence, 0, later, account=LICENSOR).code == 0
    after(node, "2024-02-20")
    assert on("distribution", "settle", licence, 0, account=LICENSOR).code == 0
    done = on("payout", "claim", ADDRESS["dev:2"], account=LICENSEE, json=True)
    assert done.data["paid"][0]["units"] == "10000000"
    assert on("verify", json=True).code == 0
    shown = on("distribution", "show", licence, json=True).data["periods"][0]
    assert [one["stage"] for one in shown["rounds"]] == ["stood", "stood"]
    assert shown["can_be_done"] == "all is done"


def test_an_objection_that_the_arbiter_upholds(on, node, paid, tmp_path):
    licence, wrong, right = paid["licence"], tmp_path / "wrong", tmp_path / "right"
    file = usage_file(tmp_path, licence, {"song-1": 90, "song-3": 10}, "wrong.csv")
    other = on("usage", "import", file, manifest=paid["manifest"], json=True).data["folder"]
    built(on, paid | {"usage": other}, wrong)
    built(on, paid, right)
    for folder in (wrong, right):
        assert on("distribution", "publish", folder, account=LICENSOR).code == 0
    assert on("distribution", "post", licence, 0, wrong, account=LICENSOR).code == 0
    on("token", "mint", "10", to=WHO[DEE], account=LICENSOR)
    nobody = on("distribution", "object", licence, 0, counter=right, account="dev:7", json=True)
    assert (nobody.code, "neither of the posted split" in nobody.error["what"]) == (2, True)
    objected = on("distribution", "object", licence, 0, counter=right, account=DEE, json=True)
    assert objected.code == 0, objected.error
    assert objected.data["rounds"][0]["bond"]["units"] == "1000000"
    again = on("distribution", "object", licence, 0, account=ANN, json=True)
    assert again.code == 2
    replaced = on("distribution", "post", licence, 0, right, account=LICENSOR, json=True)
    assert (replaced.code, "objected to" in replaced.error["what"]) == (2, True)
    meddler = on("distribution", "settle", licence, 0, choose="counter", account=LICENSEE, json=True)
    assert meddler.code == 5
    chosen = on("distribution", "settle", licence, 0, choose="counter", account=ARBITER, json=True)
    assert chosen.code == 0, chosen.error
    assert chosen.data["rounds"][0]["stage"] == "stood"
    balance = on("balance", WHO[DEE], json=True).data
    assert balance["tokens"][0]["owed"]["units"] == str(30_000_000 + 1_000_000)
    assert on("verify", json=True).code == 0


def test_what_cannot_be_built_or_posted(on, paid, catalogue, licence, tmp_path):
    ran = on("distribution", "build", licence, 0, paid["usage"], "--out", tmp_path / "a", json=True)
    assert (ran.code, "not distributed by use" in ran.error["what"]) == (2, True)
    too_much = ("--out", tmp_path / "a", "--amount", "100.01")
    ran = on("distribution", "build", paid["licence"], 0, paid["usage"], *too_much, json=True)
    assert (ran.code, "cannot be distributed" in ran.error["what"]) == (2, True)
    assert not (tmp_path / "a").exists()
    out = tmp_path / "out"
    built(on, paid, out)
    manifest = json.loads((out / "manifest.json").read_text())
    manifest["held"] = str(int(manifest["held"]) + 1)
    (out / "manifest.json").write_text(json.dumps(manifest))
    ran = on("distribution", "publish", out, account=LICENSOR, json=True)
    assert (ran.code, "does not add up" in ran.error["what"]) == (4, True)
    ran = on("distribution", "settle", paid["licence"], 0, account=LICENSOR, json=True)
    assert (ran.code, "nothing to settle" in ran.error["what"]) == (2, True)
    ran = on("distribution", "settle", paid["licence"], 0, choose="posted", account=LICENSOR, json=True)
    assert (ran.code, "Nobody has objected" in ran.error["what"]) == (2, True)


def test_a_report_without_a_line_that_counts_divides_nothing(on, paid, tmp_path):
    file = usage_file(tmp_path, 7, {"song-1": 60}, "other.csv")
    limits = {"licence": paid["licence"], "manifest": paid["manifest"]}
    folder = on("usage", "import", file, **limits, json=True).data["folder"]
    ran = on("distribution", "build", paid["licence"], 0, folder, "--out", tmp_path / "none", json=True)
    assert (ran.code, "no line that counts" in ran.error["what"]) == (2, True)
    assert not (tmp_path / "none").exists()
    assert on("usage", "export", folder, out=tmp_path / "back", json=True).code == 0
    (back,) = (tmp_path / "back").iterdir()
    assert back.read_bytes() == file.read_bytes()


def test_proofs_of_a_built_distribution(on, paid, tmp_path, ledger):
    out = tmp_path / "out"
    made = built(on, paid, out)
    proof = on("distribution", "prove", out, WHO[ANN], json=True).data
    assert (proof["split"], proof["units"]) == (made["split"], "15000000")
    every = on("distribution", "prove", out, "--all", "--out", tmp_path / "proofs.parquet", json=True).data
    assert every["payees"] == 3
    missing = on("distribution", "prove", out, ADDRESS[LICENSEE], json=True)
    assert missing.code == 2
