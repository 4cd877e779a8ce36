"""The bindings on the real contracts: from a split to a payout, from an offer to a payment; and reading."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ledger.chain.contracts import page_gas
from ledger.chain.deploy import plan
from ledger.chain.keys import dev_signer
from ledger.chain.reader import Reader
from ledger.chain.rpc import RpcError
from ledger.chain.simulation import chain_time
from ledger.domain.chain_terms import ChainTerms, Offer, offer_id
from ledger.domain.errors import LedgerError
from ledger.domain.journal import decode_entry, fold_all
from ledger.domain.licence_types import Figures
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.royalty import Tier
from ledger.domain.split_types import Leaf, PagePayout, Run

PAYEES = [(f"0x{number:040x}", number) for number in range(1000, 1010)]
HOUR = 3600


@pytest.fixture
def tree():
    return MerkleSumTree.build(PAYEES)


@pytest.fixture
def published(ledger, sender_of, tree):
    sender_of(0).send_one(ledger.splits.publish(tree.split, [Run(0, tree.page_words(0), tree.page_proof(0))]))
    return tree


@pytest.fixture
def credited(ledger, dollar, sender_of, published):
    sender = sender_of(0)
    sender.send_all(
        [
            dollar.mint(sender.address, 10**9),
            dollar.approve(ledger.splits.address, 10**9),
            ledger.splits.credit(published.id, dollar.address, 10**9, occasion="first"),
        ]
    )
    return published


@pytest.fixture
def catalogue(ledger, sender_of, published):
    licensor = sender_of(1)
    settings = {
        "worksRoot": b"\1" * 32,
        "fileHash": b"\2" * 32,
        "arbiter": dev_signer(4).address,
        "notice": 86_400,
        "disputeWindow": HOUR,
        "arbiterWindow": HOUR,
        "uri": "ipfs://manifest",
    }
    outcome = licensor.send_one(ledger.catalogues.create(settings, occasion="first"))
    number = ledger.catalogues.created(outcome.logs)
    licensor.send_one(ledger.catalogues.announce(number, published.id))
    return number


def payout(tree) -> PagePayout:
    return PagePayout(0, 0, tree.page_words(0), tree.page_proof(0))


def test_a_page_is_paid_once(ledger, dollar, sender_of, credited):
    pay = ledger.splits.pay_pages(credited.split, dollar.address, [payout(credited)], occasion="10^9")
    sender_of(2).send_one(pay)
    assert sender_of(2).send([pay])[0].before
    total = sum(units for _, units in PAYEES)
    assert dollar.balances([payee for payee, _ in PAYEES]) == [10**9 * units // total for _, units in PAYEES]
    assert ledger.splits.page_states(credited.id, dollar.address, [0]) == [(10**9, 0)]
    with pytest.raises(LedgerError, match=r"[Nn]othing|owe"):
        sender_of(2).send_one(replace(pay, key="again", gas=None))


def test_a_full_page_of_new_payees_has_gas_enough(ledger, dollar, sender_of):
    tree = MerkleSumTree.build([(f"0x{number:040x}", number) for number in range(5000, 5128)])
    sender = sender_of(0)
    sender.send_all(
        [
            ledger.splits.publish(tree.split, [Run(0, tree.page_words(0), tree.page_proof(0))]),
            dollar.mint(sender.address, 10**9),
            dollar.approve(ledger.splits.address, 10**9),
            ledger.splits.credit(tree.id, dollar.address, 10**9, occasion="first"),
        ]
    )
    paid = sender.send_one(ledger.splits.pay_pages(tree.split, dollar.address, [payout(tree)], occasion="1"))
    assert ledger.splits.page_states(tree.id, dollar.address, [0]) == [(10**9, 0)]
    assert paid.gas_used < page_gas(128) < 6_000_000


def test_claims(ledger, dollar, sender_of, published):
    payee = dev_signer(5)
    tree = MerkleSumTree.build([(payee.address, 2), (dev_signer(6).address, 1)])
    sender = sender_of(0)
    sender.send_all(
        [
            ledger.splits.publish(tree.split, [Run(0, tree.page_words(0), [])]),
            dollar.mint(sender.address, 300),
            dollar.approve(ledger.splits.address, 300),
            ledger.splits.credit(tree.id, dollar.address, 300, occasion="1"),
        ]
    )
    index = tree.index_of(payee.address)
    leaf = Leaf(tree.split, dollar.address, index, tree.leaf(index), tree.leaf_proof(index))
    assert ledger.splits.owed([leaf]) == [200]
    to, deadline = "0x" + "77" * 20, chain_time(ledger.rpc) + HOUR
    signature = ledger.splits.sign_claim(payee, [leaf], to, 0, deadline)
    sender.send_one(
        ledger.splits.claim_by_signature([leaf], payee.address, to, 0, deadline, signature=signature)
    )
    assert (dollar.balance(to), ledger.splits.owed([leaf])) == (200, [0])
    other = 1 - index
    leaf = Leaf(tree.split, dollar.address, other, tree.leaf(other), tree.leaf_proof(other))
    sender_of(6).send_one(ledger.splits.claim_to([leaf], to, occasion="1"))
    assert dollar.balance(to) == 300


def terms_for(catalogue: int, token: str, start: int) -> ChainTerms:
    return ChainTerms(
        document=b"\3" * 32,
        works_root=b"\1" * 32,
        catalogue=catalogue,
        licensee="0x" + "00" * 20,
        token=token,
        scope=0b101,
        exclusive=0,
        start=start,
        end=0,
        transferable=False,
        upfront_fee=1000,
        advance=True,
        tiers_over_life=False,
        deduction_cap_ppm=200_000,
        guarantee=0,
        cap=0,
        late_rate_ppm=50_000,
        grace_days=5,
        period_months=1,
        days_to_report=10,
        days_to_pay=20,
        cure_days=30,
        attribution_duty=0,
        distributions="0x" + "00" * 20,
        model=bytes(32),
        attributor="0x" + "00" * 20,
        tiers=(Tier(2**128 - 1, 100_000),),
    )


def test_a_licence_from_offer_to_payment(ledger, dollar, sender_of, catalogue, node):
    licensor, licensee = dev_signer(1), sender_of(3)
    licensee.send_one(dollar.mint(licensee.address, 10**9))
    now = chain_time(ledger.rpc)
    terms = terms_for(catalogue, dollar.address, now)
    encoded = terms.encode()
    offer = Offer(nonce=1, deadline=now + HOUR, uri="ipfs://terms")
    digest = offer_id(terms, offer, chain_id=31337, licences=ledger.licences.address)
    assert ledger.licences.view("offerIdOf", encoded, (1, now + HOUR, "ipfs://terms")) == digest
    permit = dollar.sign_permit(licensee.signer, ledger.licences.address, 10**9, now + HOUR)
    accept = ledger.licences.accept(encoded, offer, signature=licensor.sign_digest(digest), permit=permit)
    outcome = licensee.send_one(accept)
    licence = ledger.licences.accepted(outcome.logs)
    assert ledger.licences.view("ownerOf", licence) == licensee.address
    assert dollar.balance(ledger.splits.address) == 1000

    figures = Figures(0, 50_000, 5_000)
    report = ledger.licences.report(licence, encoded, figures, pay_now=True)
    with pytest.raises(LedgerError, match=r"not ended|not over|ends"):
        licensee.send_one(report)
    node.advance(40 * 86_400)
    assert ledger.views.quote(licence, encoded, figures) == (3500, 0)
    licensee.send_one(report)
    assert licensee.send([report])[0].before
    assert dollar.balance(ledger.splits.address) == 4500
    due = ledger.views.due(licence, encoded, 0)
    assert (due.base, due.open, due.recouped, due.owedInAll) == (45_000, 0, 1000, 3500)
    assert ledger.licences.state(licence).nextPeriod == 1
    assert ledger.licences.periods(licence, [0])[0].version == 1

    journals = ledger.reader.journals(ledger.journal_addresses)
    heads = ledger.reader.journal_heads(ledger.journal_addresses)
    assert {name: fold_all(log.raw() for log in logs) for name, logs in journals.items()} == heads
    told = [decode_entry("Licences", log.raw()).name for log in journals["Licences"]]
    assert told == ["Accepted", "Booked"]


def test_logs_come_whole_in_small_chunks(ledger, dollar, sender_of):
    sender = sender_of(0)
    sender.send([dollar.mint(sender.address, 1) for _ in range(60)])
    reader = Reader(ledger.rpc)
    head = reader.head()
    whole = list(reader.logs([dollar.address], 0, head))
    reader._span = 2
    heard = []
    again = list(reader.logs([dollar.address], 0, head, progress=heard.append))
    assert whole == again
    assert len(whole) == 60
    assert heard[-1] == head
    assert [(one.block_number, one.log_index) for one in whole] == sorted(
        (one.block_number, one.log_index) for one in whole
    )
    assert all(one.timestamp > 1_704_000_000 for one in whole)


def test_a_node_that_refuses_wide_ranges(ledger, dollar, sender_of, monkeypatch):
    sender = sender_of(0)
    sender.send([dollar.mint(sender.address, 1) for _ in range(5)])
    reader = Reader(ledger.rpc)
    real = type(ledger.rpc).call
    widths = []

    def narrow(self, method, *params):
        if method == "eth_getLogs":
            width = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
            widths.append(width)
            if width > 3:
                raise RpcError(method, -32000, "query exceeds max block range 3")
        return real(self, method, *params)

    ledger.rpc.call("anvil_mine", hex(20))
    monkeypatch.setattr(type(ledger.rpc), "call", narrow)
    logs = list(reader.logs([dollar.address], 0, reader.head()))
    assert len(logs) == 5
    assert max(widths) > 3
    assert min(widths) <= 3


def test_times_come_from_blocks_where_logs_have_none(ledger, dollar, sender_of, monkeypatch):
    sender = sender_of(0)
    sender.send([dollar.mint(sender.address, 1) for _ in range(3)])
    reader = Reader(ledger.rpc)
    with_times = list(reader.logs([dollar.address], 0, reader.head()))
    real = type(ledger.rpc).call

    def bare(self, method, *params):
        held = real(self, method, *params)
        return [{**one, "blockTimestamp": None} for one in held] if method == "eth_getLogs" else held

    monkeypatch.setattr(type(ledger.rpc), "call", bare)
    assert list(reader.logs([dollar.address], 0, reader.head())) == with_times


def test_a_view_at_an_empty_address_is_no_zero(ledger, rpc):
    with pytest.raises(LedgerError, match="no contract at"):
        Reader(rpc).view(
            "0x" + "99" * 20, ledger.splits.abi.function("cumulative"), bytes(32), "0x" + "11" * 20
        )


# ---- tokens


def test_a_token_tells_of_itself(dollar):
    assert (dollar.name, dollar.symbol, dollar.decimals) == ("Test Dollar (test chains only)", "tUSD", 6)
    assert dollar.has_permit()


def _returns(data: bytes) -> str:
    """Code that answers every call with these bytes (at most 96)."""
    padded = data.ljust(96, b"\0")
    code = b"".join(b"\x7f" + padded[at : at + 32] + b"\x60" + bytes((at,)) + b"\x52" for at in (0, 32, 64))
    return "0x" + (code + b"\x60" + bytes((len(data),)) + b"\x60\x00\xf3").hex()


@pytest.mark.parametrize(
    ("answer", "name"),
    [
        (b"MKR".ljust(32, b"\0"), "MKR"),
        ((32).to_bytes(32, "big") + (5).to_bytes(32, "big") + b"\x1b[31mX\n".ljust(32, b"\0"), "[31m"),
        (b"", ""),
    ],
)
def test_odd_tokens(ledger, rpc, answer, name):
    address = "0x" + "e0" * 20
    rpc.call("anvil_setCode", address, _returns(answer))
    token = ledger.token(address)
    assert token.name == name
    assert token.symbol == (name or address[:10])
    with pytest.raises(LedgerError, match="no decimals"):
        _ = token.decimals


def test_no_token_at_all(ledger):
    with pytest.raises(LedgerError, match="has no token at"):
        _ = ledger.token("0x" + "e1" * 20).symbol


def test_test_tokens_have_fixed_addresses(dollar):
    assert dollar.address == plan(["TestDollar"])["TestDollar"].address
