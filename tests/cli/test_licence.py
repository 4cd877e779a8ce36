"""licence: offer, accept, show, list, terminate, expire; and terms that are refused."""

from __future__ import annotations

import json

import pytest
from _command import ADDRESS, LICENSEE, LICENSOR, STRANGER

BLOCKLIST = "BUSD"


def test_an_offer_is_a_signed_file_and_nothing_is_sent(on, terms, write, tmp_path, unsent):
    before = unsent()
    path = tmp_path / "offer.json"
    made = on("licence", "offer", write(terms), "--out", path, account=LICENSOR, json=True)
    assert (made.code, unsent()) == (0, before)
    held = json.loads(path.read_text())
    assert (held["chain_id"], held["nonce"]) == (31337, made.data["nonce"])
    assert held["typed_data"]["primaryType"] == "Offer"
    assert made.data["model"] == "HYBRID"
    from eth_account import Account
    from eth_account.messages import encode_typed_data

    signable = encode_typed_data(full_message=held["typed_data"])
    assert Account.recover_message(signable, signature=held["signature"]) == ADDRESS[LICENSOR]


def test_the_warning_that_figures_are_public_comes_once(on, terms, write, tmp_path):
    first = on("licence", "offer", write(terms), "--out", tmp_path / "a.json", account=LICENSOR)
    second = on("licence", "offer", write(terms), "--out", tmp_path / "b.json", account=LICENSOR)
    assert "public for ever" in first.err
    assert "public for ever" not in second.err


def test_an_offer_is_accepted_by_permit_in_one_transaction(on, offer, ledger, dollar):
    on("token", "mint", "1000", account=LICENSEE)
    done = on("licence", "accept", offer, account=LICENSEE, json=True).data
    assert (done["licence"], done["licensee"], done["standing"]) == (1, ADDRESS[LICENSEE], "active")
    assert done["fee"]["units"] == "100000000"
    assert len(done["transactions"]) == 1
    assert dollar.allowance(ADDRESS[LICENSEE], ledger.addresses["Licences"]) == 0
    again = on("licence", "accept", offer, account=LICENSEE, json=True).data
    assert (again["licence"], again["sent"]) == (1, False)
    assert dollar.balance(ADDRESS[LICENSEE]) == 900_000_000


def test_a_token_without_permit_is_approved_first(on, offer, monkeypatch):
    from ledger.chain.tokens import Token

    monkeypatch.setattr(Token, "has_permit", lambda self: False)
    on("token", "mint", "1000", account=LICENSEE)
    done = on("licence", "accept", offer, account=LICENSEE, json=True).data
    assert [one["note"].split()[0] for one in done["transactions"]] == ["let", "accept"]


def test_a_standing_allowance_is_used(on, offer):
    on("token", "mint", "1000", account=LICENSEE)
    on("token", "approve", "100", account=LICENSEE)
    assert len(on("licence", "accept", offer, account=LICENSEE, json=True).data["transactions"]) == 1


def test_an_offer_on_chain(on, terms, write):
    made = on("licence", "offer", write(terms), "--on-chain", account=LICENSOR, json=True).data
    assert made["sent"]
    on("token", "mint", "1000", account=LICENSEE)
    assert on("licence", "accept", made["offer"], account=LICENSEE, json=True).data["licence"] == 1


def test_an_offer_on_chain_whose_document_is_missing(on, terms, write, tmp_path):
    made = on("licence", "offer", write(terms), "--on-chain", account=LICENSOR, json=True).data
    on("token", "mint", "1000", account=LICENSEE)
    files = tmp_path / "elsewhere"
    ran = on("licence", "accept", made["offer"], account=LICENSEE, files=files, json=True)
    assert (ran.code, "--terms FILE" in ran.error["remedy"]) == (2, True)
    document = write(terms)
    done = on("licence", "accept", made["offer"], terms=document, account=LICENSEE, files=files, json=True)
    assert done.data["licence"] == 1


def test_the_terms_in_plain_words(on, licence):
    text = on("licence", "show", licence).out
    for words in (
        "standing  active",
        "hybrid: a fee now and a share of revenue",
        "100.000000 tUSD, paid at acceptance, an advance",
        "10 % up to 1,000.000000 tUSD, 8 % beyond of net revenue in each month",
        "at most 15 % of gross revenue",
        "8 % a year",
        "30 days to cure",
        "Muse 1",
        "England",
    ):
        assert words in text


def test_a_licence_whose_document_is_missing_is_still_told(on, licence, tmp_path):
    shown = on("licence", "show", licence, files=tmp_path / "none", json=True).data
    assert (shown["document"], shown["model"]) == (None, "HYBRID")


def test_listing(on, licence):
    listed = on("licence", "list", json=True).data["licences"]
    assert [(one["licence"], one["model"], one["standing"]) for one in listed] == [(1, "HYBRID", "active")]
    assert on("licence", "list", catalogue=2, json=True).data["licences"] == []
    assert "HYBRID" in on("licence", "list").out


def test_an_unknown_licence(on, ledger):
    ran = on("licence", "show", 9, json=True)
    assert (ran.code, "9" in ran.error["what"]) in ((2, True), (5, True))


# ---- the end


def test_termination_begins_with_a_notice_and_waits_for_the_cure(on, licence, node, unsent):
    early = on("licence", "terminate", licence, account=LICENSOR, json=True)
    assert (early.code, early.error["what"]) == (2, "Licence 1 is not in breach.")
    node.advance_to(1_707_696_000)  # 12 February 2024: January's report is a day late
    stranger = on("licence", "terminate", licence, account=STRANGER, json=True)
    assert (stranger.code, "Only the licensor" in stranger.error["what"]) == (2, True)
    notice = on("licence", "terminate", licence, account=LICENSOR, json=True).data
    assert (notice["step"], notice["period"]) == ("notice", 0)
    assert notice["cure_until"] - 1_707_696_000 - 30 * 86_400 < 60
    assert "in cure" in on("licence", "show", licence, json=True).data["standing"]
    before = unsent()
    waiting = on("licence", "terminate", licence, account=LICENSOR, json=True)
    assert (waiting.code, "can be cured until 2024-03-13" in waiting.error["what"]) == (6, True)
    assert unsent() == before
    node.advance_to(notice["cure_until"] + 1)
    ended = on("licence", "terminate", licence, account=LICENSOR, json=True).data
    assert (ended["step"], ended["cure_until"]) == ("terminated", None)
    assert "terminated" in on("licence", "show", licence, json=True).data["standing"]
    again = on("licence", "terminate", licence, account=LICENSOR, json=True)
    assert (again.code, "has ended" in again.error["what"]) == (2, True)


def test_expiry_waits_for_the_end(on, licence, node, unsent):
    before = unsent()
    early = on("licence", "expire", licence, account=STRANGER, json=True)
    assert (early.code, "it ends 2025-01-01" in early.error["what"]) == (2, True)
    assert unsent() == before
    node.advance_to(1_735_689_600)
    assert "not recorded yet" in on("licence", "show", licence, json=True).data["standing"]
    assert on("licence", "expire", licence, account=STRANGER, json=True).data["sent"]
    assert "expired" in on("licence", "show", licence, json=True).data["standing"]
    assert on("licence", "expire", licence, account=STRANGER, json=True).code == 2


# ---- terms that are refused


def _rate(terms):
    terms["money"]["tiers"][0]["rate_ppm"] = 1_000_001


def _order(terms):
    terms["money"]["tiers"].insert(0, {"up_to": "2000", "rate_ppm": 1})


def _end(terms):
    terms["reach"]["end"] = "2023-12-31"


def _token(terms):
    terms["money"]["token"] = "0x" + "ab" * 20


def _decimals(terms):
    terms["money"]["decimals"] = 18


def _symbol(terms):
    terms["money"]["symbol"] = "USDC"


def _catalogue(terms):
    terms["catalogue"] = 99


def _licensor(terms):
    terms["licensor"] = ADDRESS[STRANGER]


def _root(terms):
    terms["works_root"] = "0x" + "11" * 32


def _float(terms):
    terms["money"]["upfront_fee"] = 100.5


def _scope(terms):
    terms["scope"] = ["TRIAN"]


def _strange(terms):
    terms["money"]["royaltee"] = 5


def _over(terms):
    terms["reach"] = {"start": "2023-01-01", "end": "2023-12-01"}


BAD = [
    (_rate, "money.tiers[0].rate_ppm", "1000001 is more than 1,000,000 parts per million, which are 100 %"),
    (_order, "money.tiers[1].up_to", "not after the one before"),
    (_end, "reach.end", "is not after the start"),
    (_token, "money.token", "no token at"),
    (_decimals, "money.decimals", "the token has 6"),
    (_symbol, "money.symbol", "calls itself 'tUSD'"),
    (_catalogue, "catalogue", "There is no catalogue 99"),
    (_licensor, "licensor", "belongs to"),
    (_root, "works_root", "manifest has the root"),
    (_float, "money.upfront_fee", "is a float"),
    (_scope, "scope[0]", "is none of"),
    (_strange, "money.royaltee", "unknown"),
    (_over, "reach.end", "nobody could accept it"),
]


@pytest.mark.parametrize(("spoil", "where", "said"), BAD, ids=[one[0].__name__ for one in BAD])
def test_bad_terms_are_refused_with_their_field(on, terms, write, tmp_path, unsent, spoil, where, said):
    spoil(terms)
    before = unsent()
    path = tmp_path / "offer.json"
    ran = on("licence", "offer", write(terms), "--out", path, account=LICENSOR, json=True)
    assert ran.code == 2
    assert any(one["where"] == where and said in one["what"] for one in ran.error["findings"]), ran.error
    assert unsent() == before
    assert not path.exists()


def test_all_flaws_of_terms_are_listed(on, terms, write):
    for spoil in (_end, _order):
        spoil(terms)
    ran = on("licence", "offer", write(terms), account=LICENSOR, json=True)
    assert {one["where"] for one in ran.error["findings"]} >= {"reach.end", "money.tiers[1].up_to"}


def test_only_the_licensor_offers(on, terms, write):
    ran = on("licence", "offer", write(terms), account=STRANGER, json=True)
    assert (ran.code, "The licensor is" in ran.error["what"]) == (2, True)


# ---- offers that cannot be accepted


def _accept(on, path, unsent, account=LICENSEE):
    before = unsent()
    ran = on("licence", "accept", path, account=account, json=True)
    assert unsent() == before
    return ran


def test_no_money_for_the_fee(on, offer, unsent):
    ran = _accept(on, offer, unsent)
    assert (ran.code, ran.error["what"]) == (
        6,
        f"{ADDRESS[LICENSEE]} holds 0.000000 tUSD; the upfront fee is 100.000000 tUSD.",
    )
    assert "token mint" in ran.error["remedy"]


def test_an_offer_for_another(on, terms, write, tmp_path, unsent):
    terms["licensee"] = ADDRESS[STRANGER]
    path = tmp_path / "offer.json"
    on("licence", "offer", write(terms), "--out", path, account=LICENSOR)
    on("token", "mint", "1000", account=LICENSEE)
    ran = _accept(on, path, unsent)
    assert (ran.code, "not for" in ran.error["what"]) == (2, True)


def test_an_offer_that_was_taken(on, offer, licence, unsent):
    ran = _accept(on, offer, unsent, account=STRANGER)
    assert (ran.code, "accepted by somebody else" in ran.error["what"]) == (2, True)


def test_an_offer_whose_time_has_passed(on, offer, node, unsent):
    on("token", "mint", "1000", account=LICENSEE)
    node.advance_to(1_706_745_600)
    ran = _accept(on, offer, unsent)
    assert (ran.code, "could be accepted until" in ran.error["what"]) == (2, True)


def _changed(offer, **changes):
    held = json.loads(offer.read_text()) | changes
    offer.write_text(json.dumps(held))
    return offer


def test_an_offer_for_another_chain(on, offer, unsent):
    on("token", "mint", "1000", account=LICENSEE)
    ran = _accept(on, _changed(offer, chain_id=1), unsent)
    assert (ran.code, "is for chain 1" in ran.error["what"]) == (2, True)


def test_an_offer_with_a_forged_signature(on, offer, unsent):
    on("token", "mint", "1000", account=LICENSEE)
    ran = _accept(on, _changed(offer, deadline=json.loads(offer.read_text())["deadline"] + 1), unsent)
    assert (ran.code, ran.error["cause"]["revert"]) == (5, "Licences_NotOffered")


def test_an_offer_whose_figures_are_not_those_of_its_document(on, offer, unsent):
    held = json.loads(offer.read_text())
    held["document"]["money"]["upfront_fee"] = "1"
    ran = _accept(on, _changed(offer, document=held["document"]), unsent)
    assert (ran.code, "document, upfront_fee" in ran.error["what"]) == (2, True)


@pytest.mark.parametrize("content", ["", "{}", '{"offer": "2"}', "[]"])
def test_files_that_are_no_offer(on, offer, unsent, content):
    offer.write_text(content)
    ran = _accept(on, offer, unsent)
    assert (ran.code, ran.error["what"]) == (2, "This is no offer file.")


def test_an_offer_that_stands_nowhere(on, ledger, unsent):
    ran = _accept(on, "0x" + "12" * 32, unsent)
    assert (ran.code, "No offer" in ran.error["what"]) == (2, True)


def test_exclusive_scope_is_granted_once(on, terms, write, tmp_path, unsent):
    terms["reach"]["exclusive"] = ["TRAIN"]
    paths = [tmp_path / "a.json", tmp_path / "b.json"]
    for path in paths:
        on("licence", "offer", write(terms), "--out", path, account=LICENSOR)
    on("token", "mint", "1000", account=LICENSEE)
    assert on("licence", "accept", paths[0], account=LICENSEE, json=True).code == 0
    ran = _accept(on, paths[1], unsent)
    assert (ran.code, ran.error["cause"]["revert"]) == (5, "Licences_ScopeTaken")


def test_escapes_in_a_title_do_nothing(on, terms, write, tmp_path):
    terms["title"] = "\x1b[31mred"
    assert on("licence", "offer", write(terms), account=LICENSOR, json=True).code == 2
    terms["title"] = "a\u202egolb"
    shown = on("licence", "offer", write(terms), "--out", tmp_path / "o.json", account=LICENSOR)
    assert "a\\u202egolb" in shown.out
