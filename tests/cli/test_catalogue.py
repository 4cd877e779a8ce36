"""catalogue: create, show, announce, publish, prove; and manifests that are refused whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR, MANIFEST

from ledger.domain.canonical import keccak256

PAYEE = "0x1111111111111111111111111111111111111111"


def test_a_catalogue_is_created_once(on, manifest, catalogue, ledger):
    assert (catalogue["catalogue"], catalogue["payees"], catalogue["works"]) == (1, 3, 3)
    assert ledger.splits.view("isPublished", bytes.fromhex(catalogue["split"][2:]))
    again = on("catalogue", "create", manifest, title="Songs", account=LICENSOR, json=True).data
    assert (again["catalogue"], again["split"]) == (1, catalogue["split"])
    assert ledger.catalogues.view("count") == 1
    other = on(
        "catalogue", "create", manifest, title="Songs", account=LICENSOR, notice_days=5, json=True
    ).data
    assert other["catalogue"] == 2


def test_unmatched_holders_are_told(on, manifest):
    ran = on("catalogue", "create", manifest, account=LICENSOR)
    assert "1 holder without a payee, with 33.33 % of the value, get no units." in ran.err


def test_the_manifest_file_is_kept_by_its_hash(on, catalogue, tmp_path):
    content = (tmp_path / "home" / "files" / catalogue["file_hash"][2:]).read_bytes()
    assert "0x" + keccak256(content).hex() == catalogue["file_hash"]


def test_showing(on, catalogue):
    shown = on("catalogue", "show", 1, "--works", "--payees", json=True).data
    assert shown["owner"] == ADDRESS[LICENSOR]
    assert (shown["arbiter"], shown["notice"], shown["title"], shown["manifest_kept"]) == (
        None,
        30 * 86_400,
        "Songs",
        True,
    )
    assert [one["state"] for one in shown["splits"]] == ["in force"]
    assert [int(one["units"]) for one in shown["payees"]] == [1, 2, 3]
    assert [one["id"] for one in shown["works"]] == ["song-1", "song-2", "song-3"]
    text = on("catalogue", "show", 1, "--works", "--payees").out
    for part in ("song-1", "unmatched", "333,333", PAYEE, "nobody"):
        assert part in text
    assert len(on("catalogue", "show", json=True).data["catalogues"]) == 1
    assert "1" in on("catalogue", "show").out


def test_an_arbiter_may_be_named_by_its_account(on, manifest):
    on("catalogue", "create", manifest, arbiter=LICENSEE, account=LICENSOR)
    assert on("catalogue", "show", 1, json=True).data["arbiter"] == ADDRESS[LICENSEE]


def test_a_new_manifest_tells_unmatched_holders_too(on, catalogue, manifest):
    manifest.write_text(
        MANIFEST.replace("song-3,Third,Dee,0x3333333333333333333333333333333333333333", "song-3,Third,Dee,")
    )
    ran = on("catalogue", "announce", 1, manifest, title="More songs", account=LICENSOR)
    assert "2 holders without a payee, with 66.67 % of the value, get no units." in ran.err
    assert on("catalogue", "show", 1, json=True).data["title"] == "More songs"


def test_an_unknown_catalogue(on):
    ran = on("catalogue", "show", 7, json=True)
    assert (ran.code, ran.error["what"]) == (5, "There is no catalogue 7.")


def test_a_new_manifest_takes_effect_after_the_notice(on, catalogue, manifest, node):
    manifest.write_text(MANIFEST.replace("song-2,Second,Cy,,", f"song-2,Second,Cy,{PAYEE},"))
    done = on("catalogue", "announce", 1, manifest, account=LICENSOR, json=True).data
    assert done["effective"] - node.now() > 29 * 86_400
    shown = on("catalogue", "show", 1, json=True).data
    assert [one["state"] for one in shown["splits"]] == ["in force", "announced"]
    assert shown["file_hash"] != catalogue["file_hash"]
    assert (shown["manifest_kept"], shown["title"]) == (True, "Songs")
    again = on("catalogue", "announce", 1, manifest, account=LICENSOR, json=True).data
    assert (again["effective"], again["transactions"]) == (done["effective"], [])
    node.advance_to(done["effective"])
    assert [one["state"] for one in on("catalogue", "show", 1, json=True).data["splits"]] == [
        "past",
        "in force",
    ]


def test_a_new_split_alone(on, catalogue, tmp_path):
    units = tmp_path / "units.csv"
    units.write_text(f"payee,units\n{PAYEE},5\n")
    published = on("catalogue", "publish", units=units, account=LICENSEE, json=True).data
    assert (published["payees"], published["sent"]) == (1, True)
    assert on("catalogue", "publish", units=units, account=LICENSEE, json=True).data["sent"] is False
    done = on("catalogue", "announce", 1, units=units, account=LICENSOR, json=True).data
    assert done["split"] == published["split"]
    assert on("catalogue", "show", 1, json=True).data["file_hash"] == catalogue["file_hash"]


def test_only_the_owner_announces(on, catalogue, manifest, unsent):
    before = unsent()
    ran = on("catalogue", "announce", 1, manifest, account=LICENSEE, json=True)
    assert (ran.code, ADDRESS[LICENSOR] in ran.error["what"]) == (2, True)
    assert unsent() == before


def test_a_manifest_and_units_exclude_each_other(on, manifest, catalogue):
    assert on("catalogue", "announce", 1, account=LICENSOR, json=True).code == 2
    assert on("catalogue", "announce", 1, manifest, units=manifest, account=LICENSOR, json=True).code == 2


def test_large_splits_are_published_in_several_transactions(on, tmp_path):
    units = tmp_path / "units.csv"
    rows = [f"0x{number:040x},{number}" for number in range(1, 4001)]
    units.write_text("payee,units\n" + "\n".join(rows) + "\n")
    done = on("catalogue", "publish", units=units, account=LICENSOR, json=True).data
    assert (done["pages"], done["payees"]) == (32, 4000)
    assert len(done["transactions"]) == 2
    assert all(one["gas_used"] < 16_777_216 for one in done["transactions"])


# ---- proofs


def test_proofs_of_works_and_shares_hold_on_chain(on, catalogue):
    work = on("catalogue", "prove", 1, "song-1", json=True).data
    assert (work["on_chain"], work["share"]) == (True, None)
    share = on("catalogue", "prove", 1, "song-1", holder="Ann", json=True).data
    assert (share["on_chain"], share["share"]["sharePpm"]) == (True, 333_333)
    assert on("catalogue", "prove", 1, "song-2", holder="Cy", json=True).data["share"]["payee"] is None
    assert "proved" in on("catalogue", "prove", 1, "song-1", holder="Ann").out


def test_proofs_of_what_is_not_there(on, catalogue, tmp_path):
    assert on("catalogue", "prove", 1, "song-9", json=True).code == 2
    assert on("catalogue", "prove", 1, "song-1", holder="Zoe", json=True).code == 2
    other = tmp_path / "other.csv"
    other.write_text(MANIFEST.replace("song-3", "song-4"))
    ran = on("catalogue", "prove", 1, "song-4", manifest=other, json=True)
    assert (ran.code, "not the one of catalogue 1" in ran.error["what"]) == (2, True)


def test_a_changed_file_of_the_store_is_noticed(on, catalogue, tmp_path):
    (tmp_path / "home" / "files" / catalogue["file_hash"][2:]).write_bytes(b"{}")
    ran = on("catalogue", "prove", 1, "song-1", json=True)
    assert (ran.code, "does not have the hash" in ran.error["what"]) == (4, True)


def test_a_missing_file_of_the_store(on, catalogue, tmp_path):
    ran = on("catalogue", "prove", 1, "song-1", files=tmp_path / "empty", json=True)
    assert (ran.code, "is not in the store" in ran.error["what"]) == (2, True)


# ---- manifests that are refused whole

ANN = f"song-1,First,Ann,{PAYEE},1/3"
DEE = "Dee,0x3333333333333333333333333333333333333333,1000000"
BOB = "Bob,0x2222222222222222222222222222222222222222"
MISTYPED = "0xF39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
#: What is wrong: the good text, the bad one, the line that is named, what is said of it.
BAD = {
    "shares that do not sum": (ANN, ANN.replace("1/3", "1/4"), "line 2", "sum to 916,667 parts per million"),
    "a bad ISRC": ("GBAYE0601498", "GBAYE06014", "line 2", "is no ISRC"),
    "a zero payee": (PAYEE, "0x" + "0" * 40, "line 2", "The zero address"),
    "a mistyped payee": (PAYEE, MISTYPED, "line 2", "wrong checksum"),
    "a repeated payee": (BOB, f"Bob,{PAYEE}", "line 3", "was named before"),
    "a repeated holder": ("song-1,First,Bob", "song-1,First,Ann", "line 3", "was named before"),
    "a work that differs": ("song-1,First,Bob", "song-1,Other,Bob", "line 3", "differs from line 2"),
    "a share over the whole": (DEE, DEE.replace("1000000", "1000001"), "line 5", "more than the whole"),
    "no share": (DEE, DEE.replace("1000000", ""), "line 5", "share"),
    "a missing cell": (",recording,\nsong-3", ",recording\nsong-3", "line 4", "more or fewer cells"),
    "an unknown column": ("work,title", "work,titel", "line 1", "unknown"),
    "two columns of payees": (",isrc\n", ",payee\n", "line 1", "The column payee stands there 2 times"),
    "a header that never ends": ("work,", '"work,', "line 1", "The line is no CSV"),
    "a quote that never ends": ("song-2,", '"song-2,', "line 5", "The line is no CSV"),
    "shares a little over the whole": (
        ANN,
        ANN.replace("1/3", "333334"),
        "line 2",
        "sum to 1,000,001 parts",
    ),
    "shares less than a millionth under the whole": (
        ANN,
        ANN.replace("1/3", "333333"),
        "line 2",
        "sum to 2999999/3000000 of the whole",
    ),
    "shares of twice the whole": ("song-2,Second,Cy", "song-3,Third,Cy", "line 4", "sum to 2,000,000 parts"),
    "a control character": ("Second", "Sec\x9bond", "line 4", "control characters"),
}


@pytest.mark.parametrize("flaw", BAD)
def test_a_bad_manifest_is_refused_with_its_line(on, manifest, unsent, tmp_path, flaw):
    good, bad, where, said = BAD[flaw]
    assert good in MANIFEST
    manifest.write_text(MANIFEST.replace(good, bad, 1))
    ran = on("catalogue", "create", manifest, account=LICENSOR, json=True)
    assert ran.code == 2
    assert any(one["where"] == where and said in one["what"] for one in ran.error["findings"]), ran.error
    assert str(manifest) in ran.error["where"]
    assert "nothing was sent" in ran.error["remedy"]
    assert unsent() == 0
    assert not (tmp_path / "home" / "files").exists()


def test_a_duplicate_work(on, unsent, write):
    work = {"id": "song-1", "shares": [{"holder": "Ann", "share": 1_000_000, "payee": PAYEE}]}
    ran = on(
        "catalogue", "create", write({"manifest": "1", "works": [work, work]}), account=LICENSOR, json=True
    )
    assert ran.code == 2
    assert ran.error["findings"] == [
        {
            "where": "works[1]",
            "what": "The work 'song-1' was named before, at works[0].",
            "remedy": "Keep one of them.",
        }
    ]
    assert unsent() == 0


def test_ten_thousand_bad_lines_are_all_listed(on, manifest, unsent):
    rows = [f"work-{number},,H,0x{number:040x},0,recording" for number in range(10_000)]
    manifest.write_text("work,title,holder,payee,share,right\n" + "\n".join(rows) + "\n")
    ran = on("catalogue", "create", manifest, account=LICENSOR, json=True)
    assert ran.code == 2
    wheres = [one["where"] for one in ran.error["findings"]]
    assert {f"line {number}" for number in range(2, 10_002)} == set(wheres)
    assert unsent() == 0
    text = on("catalogue", "create", manifest, account=LICENSOR)
    assert text.err.count("  line ") == len(wheres)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe", "not UTF-8"), (b"{", "no JSON"), (b"work,holder,share\n", "no work"), (b"", "manifest")],
)
def test_files_that_are_no_manifest(on, manifest, unsent, content, said):
    manifest.write_bytes(content)
    ran = on("catalogue", "create", manifest, account=LICENSOR, json=True)
    assert ran.code == 2
    assert said in json.dumps(ran.error)
    assert unsent() == 0


def test_a_manifest_in_yaml(on, tmp_path):
    path = tmp_path / "manifest.yaml"
    path.write_text(
        'manifest: "1"\ntitle: Songs\nworks:\n- id: song-1\n  shares:\n'
        f'  - {{holder: Ann, share: "1/3", payee: "{PAYEE}"}}\n'
        '  - {holder: Bob, share: "2/3", payee: "0x2222222222222222222222222222222222222222"}\n'
    )
    assert on("catalogue", "create", path, account=LICENSOR, json=True).data["units"] == "3"
    path.write_text("works: [")
    ran = on("catalogue", "create", path, account=LICENSOR, json=True)
    assert (ran.code, ran.error["what"]) == (2, "The manifest is no YAML.")


@pytest.mark.parametrize("again", ['"payee": "0x2222222222222222222222222222222222222222"', '"share": 1'])
def test_a_field_written_twice_is_no_choice_of_ours(on, tmp_path, unsent, again):
    path = tmp_path / "manifest.json"
    share = f'{{"holder": "Ann", "share": 1000000, "payee": "{PAYEE}", {again}}}'
    path.write_text(f'{{"manifest": "1", "works": [{{"id": "a", "shares": [{share}]}}]}}')
    ran = on("catalogue", "create", path, account=LICENSOR, json=True)
    assert (ran.code, "is written twice" in ran.error["what"], unsent()) == (2, True, 0)


def test_a_file_that_is_not_there(on, unsent, tmp_path):
    ran = on("catalogue", "create", tmp_path / "none.csv", account=LICENSOR, json=True)
    assert (ran.code, ran.error["what"]) == (2, "The file cannot be read.")


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (f"{PAYEE},0", "not within 1"),
        (f"{PAYEE},1.5", "not within 1"),
        (f"{PAYEE},1\n{PAYEE},2", "named before, at line 2"),
        ("0x" + "0" * 40 + ",1", "zero address"),
        ("x,1", "is not an address"),
        (f"{PAYEE}", "fewer cells"),
        (f'"{PAYEE}', "no CSV"),
        ("", "no payee"),
    ],
)
def test_bad_lists_of_units(on, tmp_path, unsent, rows, said):
    units = tmp_path / "units.csv"
    units.write_text(f"payee,units\n{rows}\n")
    ran = on("catalogue", "publish", units=units, account=LICENSOR, json=True)
    assert (ran.code, said in json.dumps(ran.error["findings"])) == (2, True)
    assert unsent() == 0


def test_windows_out_of_range(on, manifest, unsent):
    ran = on("catalogue", "create", manifest, notice_days=4000, account=LICENSOR, json=True)
    assert (ran.code, ran.error["where"]) == (2, "--notice-days")
    assert unsent() == 0


@pytest.mark.parametrize("language", ["csv", "json"])
def test_the_examples_of_the_reference_page_are_manifests(on, tmp_path, language):
    page = (Path(__file__).parents[2] / "docs" / "reference" / "manifest.md").read_text()
    path = tmp_path / f"example.{language}"
    path.write_text(page.split(f"```{language}\n")[1].split("```")[0])
    assert on("catalogue", "create", path, account=LICENSOR, json=True).data["units"] == "3"


def test_a_work_that_another_catalogue_has_is_told(on, catalogue, tmp_path):
    """By its identifier, whatever its id; nothing is refused, since the rights may be others."""
    line = "harbour,Harbour,Publisher,0x2222222222222222222222222222222222222222,1/1,composition,{}\n"
    head = "work,title,holder,payee,share,right,isrc\n"
    again, other = tmp_path / "again.csv", tmp_path / "other.csv"
    again.write_text(head + line.format("GBAYE0601498"))
    other.write_text(head + line.format("GBAYE0601499"))
    made = on("catalogue", "create", again, title="Publishing", account=LICENSEE)
    assert made.code == 0
    assert "'harbour' (isrc GBAYE0601498) is in catalogue 1 too, as 'song-1'" in made.err
    assert "is in catalogue" not in on("catalogue", "create", other, title="Other", account=LICENSEE).err


def test_works_of_one_manifest_with_the_same_identifier_are_told(on, tmp_path):
    """What names an artist or an album is shared rightly, and so is a composition's name among its recordings."""
    head = "work,title,holder,payee,share,isrc,iswc,isni\n"
    rest = f"Ann,{PAYEE},1/1,{{}},T-034.524.680-1,000000012281955X\n"
    for isrc, told in (("GBAYE0601498", True), ("GBAYE0601499", False)):
        path = tmp_path / f"{isrc}.csv"
        path.write_text(head + "a,A," + rest.format("GBAYE0601498") + "b,B," + rest.format(isrc))
        made = on("catalogue", "create", path, title=isrc, account=LICENSOR)
        assert made.code == 0
        assert ("The works 'a' and 'b' have the same isrc GBAYE0601498: use" in made.err) is told
        assert "isni" not in made.err


def test_works_of_one_manifest_with_the_same_content_are_told_once(on, tmp_path):
    path = tmp_path / "same.csv"
    rows = "".join(f"{work},Ann,{PAYEE},1/1,0x{'ab' * 32}\n" for work in "ab")
    path.write_text("work,holder,payee,share,content_hash\n" + rows)
    told = on("catalogue", "create", path, title="Same", account=LICENSOR).err
    assert f"The works 'a' and 'b' have the same content hash 0x{'ab' * 32}: use" in told
