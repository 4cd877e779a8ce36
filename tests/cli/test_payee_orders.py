"""payout standing, place, void: what a payee orders about its own money, and nobody else for it."""

from __future__ import annotations

import json

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR, STRANGER
from _reporting import after

DEV3, DEV4 = "dev:3", "dev:4"
PAYEE = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"  # dev:3
OTHER = "0x15d34AAf54267DB7D7c367839AAf71A00a2C6A65"  # dev:4
ELSEWHERE = "0x1111111111111111111111111111111111111111"


@pytest.fixture
def manifest(tmp_path):
    path = tmp_path / "manifest.csv"
    path.write_text(
        "work,title,holder,payee,share,right\n"
        f"song-1,First,Ann,{PAYEE},1/3,recording\n"
        f"song-1,First,Bob,{OTHER},2/3,recording\n"
    )
    return path


@pytest.fixture
def paid(on, node, offer) -> int:
    """A licence whose fee of 100 and line wait for the payees."""
    on("token", "mint", "100000", account=LICENSEE)
    number = on("licence", "accept", offer, account=LICENSEE, json=True).data["licence"]
    after(node, "2024-02-02")
    assert on("report", "submit", number, "1500", "--pay", account=LICENSEE).code == 0
    return number


def test_claims_by_anyone_go_to_the_standing_address(on, paid, dollar):
    ordered = on("payout", "standing", ELSEWHERE, account=DEV3, json=True).data
    assert (ordered["payee"], ordered["standing"]) == (PAYEE, ELSEWHERE)
    owed = int(on("payout", "preview", payee=DEV3, json=True).data["payees"][0]["owed"]["units"])
    claimed = on("payout", "claim", DEV3, account=STRANGER, json=True).data
    assert (claimed["to"], int(claimed["paid"][0]["units"])) == (ELSEWHERE, owed)
    assert dollar.balance(ELSEWHERE) == owed > 0
    cleared = on("payout", "standing", "--clear", account=DEV3, json=True).data
    assert cleared["standing"] is None
    assert on("payout", "standing", ELSEWHERE, account=DEV3).code == 0
    assert on("verify").code == 0


def test_a_standing_order_that_changes_nothing_is_refused(on, paid, ledger):
    assert "itself already" in on("payout", "standing", "--clear", account=DEV3).err
    on("payout", "standing", ELSEWHERE, account=DEV3)
    again = on("payout", "standing", ELSEWHERE, account=DEV3)
    assert again.code == 2
    assert "already" in again.err
    assert on("payout", "standing", account=DEV3).code == 2
    assert on("payout", "standing", ELSEWHERE, "--clear", account=DEV3).code == 2
    assert on("payout", "standing", ledger.addresses["Splits"], account=DEV3).code == 2


def test_leaves_out_of_their_pages_are_left_to_claims(on, paid, dollar):
    before = dollar.balance(PAYEE)
    placed = on("payout", "place", "--out", account=DEV3, json=True).data
    assert (placed["payee"], placed["leaves"], placed["out"]) == (PAYEE, 1, True)
    ran = on("payout", "run", account=STRANGER, json=True).data
    assert [one["payee"] for one in ran["left_out"]] == [PAYEE]
    assert dollar.balance(PAYEE) == before
    refused = on("payout", "place", "--out", account=DEV3)
    assert refused.code == 2
    assert "No leaf" in refused.err
    back = on("payout", "place", "--back", account=DEV3, json=True).data
    assert (back["leaves"], back["out"]) == (1, False)
    assert on("payout", "run", account=STRANGER, json=True).data["payees"] == 1
    assert dollar.balance(PAYEE) > before
    assert on("payout", "place", "--out", account=DEV3).code == 0
    assert on("verify").code == 0


def test_nobody_without_a_leaf_places_one(on, paid):
    refused = on("payout", "place", "--out", account=STRANGER)
    assert refused.code == 2
    assert "licence-ledger balance" in refused.err
    assert on("payout", "place", account=DEV3).code == 2


def test_a_signed_claim_made_void_cannot_be_sent(on, paid, tmp_path, dollar):
    path = tmp_path / "claim.json"
    on("payout", "claim", "--to", ELSEWHERE, "--sign", path, account=DEV4)
    assert on("payout", "void", account=DEV4, json=True).data["payee"] == OTHER
    refused = on("payout", "claim", "--signed", path, account=STRANGER)
    assert refused.code != 0
    assert "withdrew" in refused.err
    assert dollar.balance(ELSEWHERE) == 0
    second = tmp_path / "second.json"
    on("payout", "claim", "--to", ELSEWHERE, "--sign", second, account=DEV4)
    assert on("payout", "claim", "--signed", second, account=STRANGER).code == 0
    assert dollar.balance(ELSEWHERE) > 0
    assert json.loads(second.read_text())["nonce"] == json.loads(path.read_text())["nonce"] + 1


def test_an_offer_withdrawn_cannot_be_accepted(on, offer):
    on("token", "mint", "1000", account=LICENSEE)
    stranger = on("licence", "withdraw", offer, account=LICENSEE)
    assert stranger.code != 0
    assert ADDRESS[LICENSOR] in stranger.err
    done = on("licence", "withdraw", offer, account=LICENSOR, json=True).data
    assert done["sent"]
    assert len(done["transactions"]) == 1
    refused = on("licence", "accept", offer, account=LICENSEE)
    assert refused.code != 0
    assert "withdrew" in refused.err
    assert "before" in on("licence", "withdraw", offer, account=LICENSOR).err
    assert on("licence", "list", json=True).data["licences"] == []


def test_an_offer_accepted_cannot_be_withdrawn(on, offer):
    on("token", "mint", "1000", account=LICENSEE)
    on("licence", "accept", offer, account=LICENSEE)
    assert "accepted" in on("licence", "withdraw", offer, account=LICENSOR).err


def test_an_offer_on_chain_is_withdrawn_by_its_id(on, terms, write):
    made = on("licence", "offer", write(terms), "--on-chain", account=LICENSOR, json=True).data
    assert (
        on("licence", "withdraw", made["offer"], account=LICENSOR, json=True).data["offer"] == made["offer"]
    )


def test_a_catalogue_passes_to_its_next_owner_in_two_steps(on, catalogue, ledger):
    early = on("catalogue", "take-over", 1, account=LICENSEE)
    assert early.code != 0
    assert "hand-over 1" in early.err
    assert on("catalogue", "hand-over", 1, LICENSEE, account=LICENSEE).code != 0
    offered = on("catalogue", "hand-over", 1, LICENSEE, account=LICENSOR, json=True).data
    assert (offered["owner"], offered["offered_to"]) == (ADDRESS[LICENSOR], ADDRESS[LICENSEE])
    assert "already" in on("catalogue", "hand-over", 1, LICENSEE, account=LICENSOR).err
    assert on("catalogue", "take-over", 1, account=STRANGER).code != 0
    back = on("catalogue", "hand-over", 1, "--nobody", account=LICENSOR, json=True).data
    assert back["offered_to"] is None
    assert on("catalogue", "take-over", 1, account=LICENSEE).code != 0
    on("catalogue", "hand-over", 1, LICENSEE, account=LICENSOR)
    taken = on("catalogue", "take-over", 1, account=LICENSEE, json=True).data
    assert (taken["owner"], taken["offered_to"]) == (ADDRESS[LICENSEE], None)
    assert ledger.catalogues.view("ownerOf", 1) == ADDRESS[LICENSEE].lower()
    assert on("catalogue", "hand-over", 1, account=LICENSEE).code != 0
    assert on("verify").code == 0
