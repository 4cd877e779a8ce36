"""licence export and licence diff: of files without a chain, and of licences by their number."""

from __future__ import annotations

import copy
import json
from xml.etree import ElementTree as Xml

import pytest
from _command import ADDRESS, LICENSEE

from ledger.domain.exports.cawg import flaws_of_cawg
from ledger.domain.exports.odrl_terms import flaws_of_odrl
from ledger.domain.exports.rsl_rules import NAMESPACE, flaws_of_rsl

FORMATS = ("rsl", "odrl", "cawg", "json")
FILE = {
    "terms": "1",
    "title": "Songs for Muse",
    "catalogue": 1,
    "licensor": ADDRESS["dev:0"],
    "works_root": "0x" + "11" * 32,
    "model": {"name": "Muse", "version": "1"},
    "scope": ["TRAIN", "INFER"],
    "reach": {"start": "2024-01-01", "end": "2025-01-01"},
    "money": {"token": "0x" + "22" * 20, "symbol": "tUSD", "decimals": 6, "tiers": [{"rate_ppm": 100_000}]},
    "duties": {"reporting_period": "MONTH", "days_to_report": 10, "days_to_pay": 20},
    "control": {"cure_days": 30, "governing_law": "England"},
}


def flaws(format_: str, data: dict) -> list[str]:
    return {
        "rsl": lambda: flaws_of_rsl(data["text"]),
        "odrl": lambda: flaws_of_odrl(data["content"]),
        "cawg": lambda: flaws_of_cawg(data["content"]),
        "json": list,
    }[format_]()


@pytest.mark.parametrize("format_", FORMATS)
def test_a_file_is_exported_without_a_chain(run, write, format_):
    made = run("licence", "export", write(FILE), format=format_, json=True)
    assert made.code == 0, made.error
    assert (made.data["format"], made.data["file"]) == (format_, None)
    assert made.data["uid"].startswith("urn:x-licence-ledger:terms:0x")
    assert flaws(format_, made.data) == []
    assert made.data["cannot_say"]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_licence_is_exported_by_its_number(on, licence, ledger, format_):
    made = on("licence", "export", licence, format=format_, json=True)
    assert made.code == 0, made.error
    contract = ledger.addresses["Licences"]
    assert made.data["uid"].lower() == f"eip155:31337/erc721:{contract}/{licence}".lower()
    assert flaws(format_, made.data) == []
    if format_ != "json":
        assert made.data["uid"] in made.data["text"]
    if format_ == "odrl":
        assert made.data["content"]["@type"] == "Agreement"
        assert made.data["content"]["permission"][0]["assignee"] == f"eip155:31337:{ADDRESS[LICENSEE]}"


def test_the_file_is_printed_and_what_it_cannot_say_is_talk(run, write):
    shown = run("licence", "export", write(FILE), format="rsl")
    assert Xml.fromstring(shown.out).tag == f"{{{NAMESPACE}}}rsl"
    assert "What RSL cannot say" in shown.err
    assert "the governing law: England (left out)" in shown.err
    talk = run("licence", "export", write(FILE), format="odrl")
    assert json.loads(talk.out)["@type"] == "Offer"


def test_out_writes_the_file(run, write, tmp_path):
    path = tmp_path / "licence.xml"
    made = run(
        "licence",
        "export",
        write(FILE),
        format="rsl",
        out=path,
        content_url="https://example.com/songs/",
        terms_url="https://example.com/terms.json",
        json=True,
    )
    assert (made.data["file"], path.read_text()) == (str(path), made.data["text"])
    content = Xml.fromstring(path.read_text()).find(f"{{{NAMESPACE}}}content")
    assert content is not None
    assert content.get("url") == "https://example.com/songs/"
    assert [one.text for one in content.iter(f"{{{NAMESPACE}}}custom")] == ["https://example.com/terms.json"]


def test_a_chain_given_by_its_id_names_accounts_in_full(run, write):
    made = run("licence", "export", write(FILE), format="odrl", chain_id=8453, json=True)
    assert made.data["content"]["permission"][0]["assigner"] == f"eip155:8453:{ADDRESS['dev:0']}"


def test_a_licence_whose_document_is_missing_needs_it(on, licence, terms, write, tmp_path):
    files = tmp_path / "elsewhere"
    ran = on("licence", "export", licence, format="cawg", files=files, json=True)
    assert (ran.code, "--terms FILE" in ran.error["remedy"]) == (2, True)
    made = on("licence", "export", licence, format="cawg", files=files, terms=write(terms), json=True)
    assert made.code == 0, made.error
    terms["title"] = "Another"
    ran = on("licence", "export", licence, format="cawg", files=files, terms=write(terms), json=True)
    assert (ran.code, "not that of licence 1" in ran.error["what"]) == (2, True)


def test_what_cannot_be_exported_is_refused(run, write, tmp_path):
    ran = run("licence", "export", write(FILE), format="pdf", json=True)
    assert (ran.code, "rsl, odrl, cawg, json" in ran.error["remedy"]) == (2, True)
    ran = run("licence", "export", write(FILE), format="rsl", currency="tUSD", json=True)
    assert (ran.code, "no currency code" in ran.error["what"]) == (2, True)
    ran = run("licence", "export", tmp_path / "none.yaml", format="rsl", json=True)
    assert (ran.code, ran.error["what"]) == (2, "The file cannot be read.")
    ran = run("licence", "export", write(FILE), format="rsl", terms=write(FILE), json=True)
    assert (ran.code, "goes with the number" in ran.error["what"]) == (2, True)
    bad = FILE | {"scope": ["EAT"]}
    ran = run("licence", "export", write(bad), format="rsl", json=True)
    assert (ran.code, ran.error["findings"][0]["where"]) == (2, "scope[0]")


def test_escapes_in_a_title_do_nothing(run, write):
    shown = run("licence", "export", write(FILE | {"title": "a\u202egolb"}), format="odrl")
    assert "\u202e" not in shown.out + shown.err
    assert json.loads(shown.out)["dct:title"] == "a\u202egolb"


# ---- side by side


def other() -> dict:
    changed = copy.deepcopy(FILE)
    changed["money"]["tiers"] = [{"up_to": "1000", "rate_ppm": 100_000}, {"rate_ppm": 80_000}]
    changed["reach"]["territories"] = {"include": ["DE", "AT"]}
    changed["control"]["governing_law"] = "Germany"
    return changed


@pytest.fixture
def two(tmp_path):
    paths = []
    for name, held in (("a", FILE), ("b", other())):
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(held))
        paths.append(path)
    return paths


def test_two_files_side_by_side(run, two):
    shown = run("licence", "diff", *two)
    assert shown.code == 0
    (royalty,) = (line for line in shown.out.splitlines() if "royalty" in line)
    assert royalty.startswith(" *")
    assert "10 % of net revenue in each month" in royalty
    assert "10 % up to 1,000.000000 tUSD, 8 % beyond of net revenue in each month" in royalty
    (uses,) = (line for line in shown.out.splitlines() if "train, infer" in line)
    assert "*" not in uses


def test_every_field_that_differs_is_told_exactly(run, two):
    told = run("licence", "diff", *two, json=True).data
    assert told["same"] is False
    assert {one["path"]: (one["a"], one["b"]) for one in told["fields"]} == {
        "money.tiers[0].up_to": ("", "1000"),
        "money.tiers[1].rate_ppm": ("", "80000"),
        "reach.territories.include": ("WORLD", "DE, AT"),
        "control.governing_law": ("England", "Germany"),
    }
    differing = {one["name"] for one in told["words"] if not one["same"]}
    assert differing == {"royalty", "territory (document)", "law (document)"}


def test_the_same_terms_differ_in_nothing(run, two):
    shown = run("licence", "diff", two[0], two[0])
    assert "The terms are the same." in shown.out
    assert run("licence", "diff", two[0], two[0], json=True).data["same"] is True


def test_a_licence_beside_a_file(on, licence, terms, write):
    told = on("licence", "diff", licence, write(terms), json=True).data
    assert (told["a"], told["same"]) == ("licence 1", True)
    terms["money"]["guarantee"] = "20"
    told = on("licence", "diff", licence, write(terms), json=True).data
    assert [one["path"] for one in told["fields"]] == ["money.guarantee"]


def test_a_licence_without_its_document_is_compared_by_what_the_chain_enforces(
    on, licence, terms, write, tmp_path
):
    terms["money"]["guarantee"] = "20"
    files = tmp_path / "none"
    told = on("licence", "diff", licence, write(terms), files=files, json=True).data
    assert {one["path"] for one in told["fields"]} == {"document", "guarantee"}


def test_a_side_that_is_nothing(on, licence, tmp_path):
    ran = on("licence", "diff", licence, tmp_path / "none.yaml", json=True)
    assert (ran.code, ran.error["what"]) == (2, "The file cannot be read.")
    assert on("licence", "diff", licence, 99, json=True).code in (2, 5)
