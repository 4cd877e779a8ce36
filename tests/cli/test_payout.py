"""payout, balance: pages, payees passed over and tried again, claims; nothing is lost, nothing paid twice."""

from __future__ import annotations

import json

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR, STRANGER
from _reporting import after

DEV3, DEV4 = "dev:3", "dev:4"
PAYEE = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"  # dev:3
OTHER = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"  # dev:4
MANIFEST = f"""\
work,title,holder,payee,share,right
song-1,First,Ann,{PAYEE},1/3,recording
song-1,First,Bob,{OTHER},2/3,recording
"""


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_text(MANIFEST)
    return path


@pytest.fixture
def blocklist(ledger):
    from ledger.chain.contract import Contract
    from ledger.chain.deploy import plan

    return Contract("BlocklistDollar", plan(["BlocklistDollar"])["BlocklistDollar"].address, ledger.reader)


@pytest.fixture
def paid(on, node, terms, write, tmp_path, blocklist) -> int:
    """A licence in the token that blocks addresses: a fee of 100 and a line of 40 wait for the payees."""
    terms["money"]["token"], terms["money"]["symbol"] = blocklist.address, "bUSD"
    path = tmp_path / "offer.json"
    held = ledger_symbol(on)
    terms["money"]["symbol"] = held
    assert on("licence", "offer", write(terms), "--out", path, account=LICENSOR).code == 0
    on("token", "mint", "100000", token="BUSD", account=LICENSEE)
    number = on("licence", "accept", path, account=LICENSEE, json=True).data["licence"]
    after(node, "2024-02-02")
    assert on("report", "submit", number, "1500", "--pay", account=LICENSEE).code == 0
    return number


def ledger_symbol(on) -> str:
    minted = on("token", "mint", "1", token="BUSD", account=LICENSEE, json=True).data["minted"]["shown"]
    return minted.split()[-1]


def block(blocklist, sender, address: str, blocked: bool) -> None:
    request = blocklist.request("setBlocked", address, blocked, note="block", occasion=str(blocked))
    sender.send_one(request)


def units(rows, name="owed"):
    return {one["payee"]: one[name]["units"] for one in rows}


def test_preview_and_run(on, paid, ledger):
    seen = on("payout", "preview", licence=paid, json=True).data
    assert units(seen["payees"]) == {PAYEE: "46666666", OTHER: "93333333"}
    done = on("payout", "run", licence=paid, account=STRANGER, json=True).data
    assert (done["payees"], done["paid"][0]["units"], done["passed_over"]) == (2, "139999999", [])
    again = on("payout", "run", licence=paid, account=STRANGER, json=True)
    assert (again.code, again.data["sent"], again.data["payees"]) == (0, False, 0)
    held = on("balance", PAYEE, json=True).data
    assert (held["splits"][0]["paid"]["units"], held["splits"][0]["owed"]["units"]) == ("46666666", "0")
    assert on("verify").code == 0


def test_preview_of_one_payee_and_catalogue(on, paid):
    seen = on("payout", "preview", payee=DEV3, catalogue=1, json=True).data
    assert units(seen["payees"]) == {PAYEE: "46666666"}
    assert on("payout", "preview", catalogue=1, licence=paid).code == 2
    assert on("payout", "preview", licence=9).code == 2


def test_a_blocked_payee_is_passed_over_and_tried_again(on, paid, blocklist, sender_of):
    block(blocklist, sender_of(0), PAYEE, True)
    done = on("payout", "run", account=STRANGER, json=True).data
    assert done["payees"] == 1
    (skipped,) = done["passed_over"]
    assert (skipped["payee"], skipped["owed"]["units"]) == (PAYEE, "46666666")
    assert skipped["why"] == f"The token blocks {PAYEE}."
    waiting = on("payout", "preview", json=True).data["splits"][0]["waiting"]
    assert waiting[0]["how"] == "passed over"
    left = on("payout", "run", account=STRANGER, json=True).data
    assert (left["sent"], left["left_out"][0]["payee"]) == (False, PAYEE)
    still = on("payout", "run", retry="all", account=STRANGER, json=True)
    assert (still.code, "Nobody could be paid" in still.error["what"]) == (5, True)
    block(blocklist, sender_of(0), PAYEE, False)
    mended = on("payout", "run", retry=PAYEE, account=STRANGER, json=True).data
    assert (mended["payees"], mended["paid"][0]["units"]) == (1, "46666666")
    assert on("verify").code == 0


def test_a_claim_by_anyone_goes_to_the_payee(on, paid):
    done = on("payout", "claim", PAYEE, account=STRANGER, json=True).data
    assert (done["to"], done["paid"][0]["units"]) == (PAYEE, "46666666")
    none = on("payout", "claim", PAYEE, account=STRANGER, json=True)
    assert (none.code, "Nothing is owed" in none.error["what"]) == (2, True)
    assert on("payout", "run", account=STRANGER, json=True).data["payees"] == 1
    assert on("verify").code == 0


def test_a_claim_to_another_address_is_the_payees_own(on, paid, blocklist):
    stranger = on("payout", "claim", PAYEE, to=ADDRESS[STRANGER], account=STRANGER, json=True)
    assert (stranger.code, "--sign" in stranger.error["remedy"]) == (2, True)
    done = on("payout", "claim", to=ADDRESS[STRANGER], account=DEV3, json=True).data
    assert done["to"] == ADDRESS[STRANGER]
    held = on("balance", ADDRESS[STRANGER], json=True).data
    assert "46666666" in [one["held"]["units"] for one in held["tokens"]]


def test_a_signed_claim_is_sent_by_anyone_once(on, paid, tmp_path):
    path = tmp_path / "claim.json"
    assert on("payout", "claim", sign=path, account=DEV3).code == 2
    made = on("payout", "claim", sign=path, to=ADDRESS[STRANGER], account=DEV3, json=True).data
    assert made["leaves"] == 1
    done = on("payout", "claim", signed=path, account=DEV4, json=True).data
    assert (done["payee"], done["to"], done["paid"][0]["units"]) == (PAYEE, ADDRESS[STRANGER], "46666666")
    again = on("payout", "claim", signed=path, account=DEV4, json=True)
    assert (again.code, "was sent before" in again.error["what"]) == (2, True)
    held = json.loads(path.read_text())
    held["chain_id"] = 1
    path.write_text(json.dumps(held))
    assert "is for chain 1" in on("payout", "claim", signed=path, account=DEV4, json=True).error["what"]
    path.write_text("{}")
    assert on("payout", "claim", signed=path, account=DEV4).code == 2


def test_the_agenda_of_all_of_one_and_of_a_licence(on, node, paid):
    after(node, "2024-03-20")
    rows = on("agenda", json=True).data["items"]
    kinds = [one["kind"] for one in rows]
    assert {"payout", "report", "end"} <= set(kinds)
    late = next(one for one in rows if one["kind"] == "report")
    assert (late["late"], late["period"]) == (True, 1)
    times = [one["time"] or 0 for one in rows]
    assert times == sorted(times)
    mine = on("agenda", DEV3, json=True).data["items"]
    assert [one["kind"] for one in mine] == ["payout"]
    assert on("agenda", paid, json=True).code == 0
    assert on("agenda", 77).code == 2
    assert "overdue" in on("agenda").out


def test_doctor(on, run):
    held = on("doctor", json=True).data
    assert held["healthy"]
    assert {"Python", "anvil", "Node", "solc", "brownie", "disk"} <= {one["name"] for one in held["parts"]}
    assert "All is well" in on("doctor").out
    alone = run("doctor", json=True).data
    assert next(one for one in alone["parts"] if one["name"] == "chain")["mend"]


def test_p06_a_strangers_split_of_other_rules_stops_nobody(on, paid, ledger, blocklist, sender_of):
    """Leaves out of order: the contract takes them, this program does not build such splits."""
    from ledger.domain.canonical import keccak256
    from ledger.domain.merkle_sum import Split
    from ledger.domain.split_types import Run

    sender = sender_of(5)
    words = [bytes.fromhex(address[2:]) + (1).to_bytes(12, "big") for address in (PAYEE, OTHER)]
    assert words != sorted(words)
    split = Split(keccak256(b"".join(words)), 2, 1)
    stranger = blocklist.request("mint", sender.address, 10, note="mint", occasion="other rules")
    approve = ledger.token(blocklist.address).approve(ledger.splits.address, 10)
    publish = ledger.splits.publish(split, [Run(0, words, [])])
    credit = ledger.splits.credit(split.id, blocklist.address, 10, occasion="other rules")
    sender.send_all([stranger, approve, publish, credit])
    done = on("payout", "run", account=STRANGER, json=True).data
    assert done["payees"] == 2
    assert {one["how"] for one in done["left_out"]} == {"split of other rules"}
