"""The test tokens and counterparts do what they claim: a mock that is tamer than its name proves nothing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
from _mini import ROOT, START, Chain, Contract, Reverted, account, artefact, keccak
from coincurve import PrivateKey
from eth_abi.abi import encode

ALICE, BOB, CAROL = account(21), account(22), account(23)
SELECTOR = keccak(b"transfer(address,uint256)")[:4]
DIALECTS = [
    *("Plain", "Silent", "False", "Liar", "FalseThoughMoved", "Two", "DirtyTrue", "OneByte", "TwoWords"),
    *("BombTrue", "Bomb", "BombRevert", "Revert", "BurnGas", "Loop"),
]
ANSWERS = ["Owner", "Valid", "Invalid", "DirtyValid", "Short", "Bomb", "BombRevert", "Revert", "BurnGas"]
Call = Callable[[], Any]


@pytest.fixture
def chain() -> Chain:
    return Chain()


def refused(call: Call, name: str, *values: object) -> None:
    with pytest.raises(Reverted) as reverted:
        call()
    assert (reverted.value.name, reverted.value.values) == (name, values)


def word(value: int) -> bytes:
    return value.to_bytes(32, "big")


# ---- dollars


@pytest.mark.parametrize("name", ["TestDollar", "BlocklistDollar"])
def test_dollars_are_minted_by_anyone_and_say_what_they_are(chain: Chain, name: str) -> None:
    dollar = chain.deploy(name)
    assert dollar.decimals() == 6
    assert "test chains only" in dollar.name()
    dollar.mint(ALICE, 5_000_000, sender=BOB)
    dollar.transfer(CAROL, 2_000_000, sender=ALICE)
    assert (dollar.balanceOf(ALICE), dollar.balanceOf(CAROL)) == (3_000_000, 2_000_000)
    assert dollar.totalSupply() == 5_000_000


@pytest.mark.parametrize("name", ["TestDollar", "BlocklistDollar"])
def test_dollars_take_a_permit_once(chain: Chain, name: str) -> None:
    dollar = chain.deploy(name)
    key = PrivateKey(b"\x07" * 32)
    owner = "0x" + keccak(key.public_key.format(compressed=False)[1:])[12:].hex()
    _, title, version, chain_id, contract, _, _ = dollar.eip712Domain()
    domain = keccak(
        encode(
            ["bytes32", "bytes32", "bytes32", "uint256", "address"],
            [
                keccak(b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak(title.encode()),
                keccak(version.encode()),
                chain_id,
                contract,
            ],
        )
    )
    assert title == dollar.name()
    assert domain == dollar.DOMAIN_SEPARATOR()
    kind = keccak(b"Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)")
    types = ["bytes32", "address", "address", "uint256", "uint256", "uint256"]
    struct = keccak(encode(types, [kind, owner, BOB, 9, 0, START]))
    signature = key.sign_recoverable(keccak(b"\x19\x01" + domain + struct), hasher=None)
    permit = (owner, BOB, 9, START, signature[64] + 27, signature[:32], signature[32:64])
    dollar.permit(*permit, sender=CAROL)
    assert dollar.allowance(owner, BOB) == 9
    with pytest.raises(Reverted):
        dollar.permit(*permit, sender=CAROL)


def test_blocklist_stops_both_directions_and_lets_go(chain: Chain) -> None:
    dollar = chain.deploy("BlocklistDollar")
    dollar.mint(ALICE, 10)
    dollar.mint(BOB, 10)
    dollar.setBlocked(BOB, True, sender=CAROL)
    assert dollar.isBlocked(BOB)
    refused(lambda: dollar.transfer(BOB, 1, sender=ALICE), "Blocked", BOB)
    refused(lambda: dollar.transfer(ALICE, 1, sender=BOB), "Blocked", BOB)
    refused(lambda: dollar.mint(BOB, 1), "Blocked", BOB)
    dollar.transfer(CAROL, 1, sender=ALICE)
    dollar.setBlocked(BOB, False)
    dollar.transfer(BOB, 1, sender=ALICE)
    assert dollar.balanceOf(BOB) == 11


# ---- tokens that move otherwise


@pytest.mark.parametrize("decimals", [0, 6, 18])
def test_plain_token_has_any_decimals(chain: Chain, decimals: int) -> None:
    token = chain.deploy("PlainToken", decimals)
    token.mint(ALICE, 3)
    token.transfer(BOB, 1, sender=ALICE)
    token.burn(BOB, 1)
    assert (token.decimals(), token.balanceOf(ALICE), token.balanceOf(BOB)) == (decimals, 2, 0)


def test_fee_token_delivers_less(chain: Chain) -> None:
    token = chain.deploy("FeeToken", 6, 10_000)
    token.mint(ALICE, 1_000)
    token.transfer(BOB, 1_000, sender=ALICE)
    assert (token.balanceOf(ALICE), token.balanceOf(BOB)) == (0, 990)
    token.setFee(0)
    token.transfer(ALICE, 990, sender=BOB)
    assert token.balanceOf(ALICE) == 990


def test_sender_fee_token_takes_more(chain: Chain) -> None:
    token = chain.deploy("SenderFeeToken", 6, 10_000)
    token.mint(ALICE, 1_010)
    token.transfer(BOB, 1_000, sender=ALICE)
    assert (token.balanceOf(ALICE), token.balanceOf(BOB)) == (0, 1_000)
    with pytest.raises(Reverted):
        token.transfer(ALICE, 1_000, sender=BOB)


def test_rebasing_token_changes_every_balance(chain: Chain) -> None:
    token = chain.deploy("RebasingToken", 6)
    token.mint(ALICE, 100)
    token.mint(BOB, 50)
    token.rebase(5 * 10**17)
    assert (token.balanceOf(ALICE), token.balanceOf(BOB)) == (50, 25)
    token.rebase(11 * 10**17)
    token.transfer(BOB, 11, sender=ALICE)
    assert (token.balanceOf(ALICE), token.balanceOf(BOB)) == (99, 66)


def test_pausable_token_stops_for_all(chain: Chain) -> None:
    token = chain.deploy("PausableToken", 6)
    token.mint(ALICE, 2)
    token.setPaused(True)
    refused(lambda: token.transfer(BOB, 1, sender=ALICE), "Paused")
    token.setPaused(False)
    token.transfer(BOB, 1, sender=ALICE)
    assert token.balanceOf(BOB) == 1


def test_two_entries_share_one_balance(chain: Chain) -> None:
    first = chain.deploy("TwoEntryToken", 6)
    second = chain.at("SecondEntry", first.second())
    first.mint(ALICE, 100)
    assert second.balanceOf(ALICE) == 100 == second.totalSupply()
    second.transfer(BOB, 30, sender=ALICE)
    second.approve(CAROL, 20, sender=ALICE)
    assert first.allowance(ALICE, CAROL) == second.allowance(ALICE, CAROL) == 20
    first.transferFrom(ALICE, BOB, 5, sender=CAROL)
    second.transferFrom(ALICE, BOB, 15, sender=CAROL)
    assert (first.balanceOf(ALICE), first.balanceOf(BOB)) == (50, 50)
    with pytest.raises(Reverted):
        second.transferFrom(ALICE, BOB, 1, sender=CAROL)
    for data in (
        first.data("transferFor", ALICE, BOB, 1),
        first.data("transferFromFor", BOB, ALICE, BOB, 1),
        first.data("approveFor", ALICE, BOB, 1),
    ):
        refused(functools.partial(chain.send, first.address, data, BOB), "NotSecondEntry", BOB)


# ---- tokens that call


def test_hook_token_calls_a_recipient_with_code(chain: Chain) -> None:
    token, payee = chain.deploy("HookToken", 18), chain.deploy("ReenteringPayee")
    token.mint(ALICE, 10)
    payee.arm(token.address, token.data("transfer", CAROL, 1), 1, False)
    token.transfer(payee.address, 3, sender=ALICE)
    assert (payee.reactions(), payee.lastSuccess()) == (1, True)
    assert (token.balanceOf(payee.address), token.balanceOf(CAROL)) == (2, 1)
    token.transfer(BOB, 1, sender=ALICE)
    payee.setMood(1)
    refused(lambda: token.transfer(payee.address, 1, sender=ALICE), "Refused")
    payee.setMood(2)
    with pytest.raises(Reverted) as burnt:
        token.transfer(payee.address, 1, sender=ALICE, gas=500_000)
    assert burnt.value.output == b""


def test_reentering_token_calls_out_of_its_transfers(chain: Chain) -> None:
    token, target = chain.deploy("ReenteringToken", 6), chain.deploy("PlainToken", 6)
    token.mint(ALICE, 10)
    token.arm(target.address, target.data("mint", CAROL, 7), 2, False)
    assert token.reactions() == 0
    token.transfer(BOB, 1, sender=ALICE)
    token.approve(BOB, 5, sender=ALICE)
    token.transferFrom(ALICE, CAROL, 1, sender=BOB)
    token.transfer(BOB, 1, sender=ALICE)
    assert (token.reactions(), token.lastSuccess(), target.balanceOf(CAROL)) == (2, True, 14)
    token.arm(target.address, target.data("burn", CAROL, 15), 1, False)
    token.transfer(BOB, 1, sender=ALICE)
    assert not token.lastSuccess()
    token.arm(target.address, target.data("burn", CAROL, 15), 1, True)
    refused(lambda: token.transfer(BOB, 1, sender=ALICE), "ERC20InsufficientBalance", CAROL, 14, 15)


def test_payee_takes_a_licence_and_reacts(chain: Chain) -> None:
    payee, target = chain.deploy("ReenteringPayee"), chain.deploy("PlainToken", 6)
    payee.arm(target.address, target.data("mint", payee.address, 7), 1, True)
    taken = payee.onERC721Received(ALICE, BOB, 1, b"")
    assert taken == keccak(b"onERC721Received(address,address,uint256,bytes)")[:4]
    assert target.balanceOf(payee.address) == 7
    payee.execute(target.address, target.data("transfer", CAROL, 7))
    assert target.balanceOf(CAROL) == 7
    payee.setMood(1)
    refused(lambda: payee.onERC721Received(ALICE, BOB, 1, b""), "Refused")


# ---- dialects


def answer(chain: Chain, token: Contract, to: str, value: int) -> bytes:
    """What a transfer from ALICE returns, as raw bytes."""
    return chain.send(
        token.address, SELECTOR + encode(["address", "uint256"], [to, value]), ALICE, gas=3_000_000
    )


@pytest.mark.parametrize(
    ("dialect", "moved", "answered"),
    [
        ("Plain", 4, word(1)),
        ("Silent", 4, b""),
        ("False", 0, word(0)),
        ("Liar", 0, word(1)),
        ("FalseThoughMoved", 4, word(0)),
        ("Two", 4, word(2)),
        ("DirtyTrue", 4, word(1 << 255 | 1)),
        ("OneByte", 4, b"\x01"),
        ("TwoWords", 4, word(1) + word(7)),
        ("BombTrue", 4, word(1) + bytes(1000)),
        ("Bomb", 4, bytes(1032)),
    ],
)
def test_dialect_moves_and_answers(chain: Chain, dialect: str, moved: int, answered: bytes) -> None:
    token = chain.deploy("DialectToken", 6, DIALECTS.index("Plain"))
    token.setBombSize(1000)
    token.mint(ALICE, 10)
    token.setDialect(BOB, DIALECTS.index(dialect))
    assert answer(chain, token, BOB, 4) == answered
    assert (token.balanceOf(ALICE), token.balanceOf(BOB)) == (10 - moved, moved)
    assert answer(chain, token, CAROL, 1) == word(1)


def test_dialect_may_be_common_to_all(chain: Chain) -> None:
    token = chain.deploy("DialectToken", 6, DIALECTS.index("Silent"))
    token.mint(ALICE, 10)
    assert answer(chain, token, BOB, 4) == b""
    approve = keccak(b"approve(address,uint256)")[:4] + encode(["address", "uint256"], [BOB, 3])
    assert chain.send(token.address, approve, ALICE) == b""
    token.setCommon(DIALECTS.index("Plain"))
    assert chain.send(token.address, approve, ALICE) == word(1)
    token.transferFrom(ALICE, CAROL, 2, sender=BOB)
    assert (token.allowance(ALICE, BOB), token.balanceOf(CAROL)) == (1, 2)
    refused(lambda: token.transferFrom(ALICE, CAROL, 2, sender=BOB), "InsufficientAllowance", BOB, 1, 2)
    refused(lambda: token.transfer(CAROL, 5, sender=ALICE), "InsufficientBalance", ALICE, 4, 5)


@pytest.mark.parametrize(
    ("dialect", "size"), [("BombRevert", 1032), ("Revert", 0), ("BurnGas", None), ("Loop", None)]
)
def test_dialect_fails(chain: Chain, dialect: str, size: int | None) -> None:
    token = chain.deploy("DialectToken", 6, DIALECTS.index(dialect))
    token.setBombSize(1000)
    token.mint(ALICE, 10)
    with pytest.raises(Reverted) as reverted:
        answer(chain, token, BOB, 4)
    assert len(reverted.value.output) == (size or 0)
    if size is None:
        assert "OutOfGas" in reverted.value.name or "InvalidFEOpcode" in reverted.value.name
    assert token.balanceOf(ALICE) == 10


def test_dialects_are_numbered_as_these_tests_believe() -> None:
    names = {"DialectToken": DIALECTS, "SmartWallet": ANSWERS}
    for name, believed in names.items():
        folder = {"DialectToken": "tokens", "SmartWallet": "counterparts"}[name]
        assert artefact(name)["sourceName"] == f"contracts/test/{folder}/{name}.sol"
        source = (ROOT / artefact(name)["sourceName"]).read_text(encoding="utf-8")
        body = source.split("enum ", 1)[1].split("{", 1)[1].split("}", 1)[0]
        lines = [line.strip().rstrip(",") for line in body.splitlines()]
        assert [line for line in lines if line and not line.startswith("//")] == believed


# ---- counterparts

MAGIC = keccak(b"isValidSignature(bytes32,bytes)")[:4]


def verdict(chain: Chain, wallet: Contract, signature: bytes = b"") -> bytes:
    data = wallet.data("isValidSignature", keccak(b"digest"), signature)
    return chain.send(wallet.address, data, static=True, gas=5_000_000)


def test_smart_wallet_believes_its_owner(chain: Chain) -> None:
    key = PrivateKey(b"\x09" * 32)
    owner = "0x" + keccak(key.public_key.format(compressed=False)[1:])[12:].hex()
    wallet = chain.deploy("SmartWallet", owner)
    raw = key.sign_recoverable(keccak(b"digest"), hasher=None)
    signature = raw[:64] + bytes([raw[64] + 27])
    assert verdict(chain, wallet, signature)[:4] == MAGIC
    assert verdict(chain, wallet, signature[:64])[:4] != MAGIC
    wallet.setOwner(ALICE)
    assert verdict(chain, wallet, signature)[:4] != MAGIC


@pytest.mark.parametrize(
    ("name", "size", "begins"),
    [
        ("Valid", 32, MAGIC + bytes(28)),
        ("Invalid", 32, b"\xff" * 4),
        ("DirtyValid", 32, MAGIC + bytes(27) + b"\x01"),
        ("Short", 4, MAGIC),
        ("Bomb", 1_000_000, MAGIC + bytes(28)),
    ],
)
def test_smart_wallet_answers(chain: Chain, name: str, size: int, begins: bytes) -> None:
    wallet = chain.deploy("SmartWallet", ALICE)
    wallet.setAnswer(ANSWERS.index(name))
    answered = verdict(chain, wallet)
    assert len(answered) == size
    assert answered.startswith(begins)


@pytest.mark.parametrize(("name", "size"), [("BombRevert", 1_000_000), ("Revert", 0), ("BurnGas", 0)])
def test_smart_wallet_fails(chain: Chain, name: str, size: int) -> None:
    wallet = chain.deploy("SmartWallet", ALICE)
    wallet.setAnswer(ANSWERS.index(name))
    with pytest.raises(Reverted) as reverted:
        verdict(chain, wallet)
    assert len(reverted.value.output) == size


@pytest.mark.parametrize(("surplus", "arrives"), [(0, 100), (5, 105), (-40, 60), (-100, None), (-500, None)])
def test_payer_pays_more_or_less(chain: Chain, surplus: int, arrives: int | None) -> None:
    splits, token = chain.deploy("Splits"), chain.deploy("PlainToken", 6)
    payer = chain.deploy("TestPayer", splits.address)
    token.mint(payer.address, 1_000)
    payer.setSurplus(surplus)
    salt = keccak(b"salt")
    fund = functools.partial(payer.fund, CAROL, salt, token.address, 100, b"why")
    if arrives is None:
        refused(fund, "Splits_NothingArrived", token.address)
        return
    assert fund() == arrives == payer.credit(keccak(b"id"), token.address, 100, b"")
    assert splits.accountBalance(splits.accountId(CAROL, salt), token.address) == arrives
    assert (payer.lastToken(), payer.lastAmount(), bytes(payer.lastData())) == (token.address, 100, b"")


def test_payer_refuses_and_reenters(chain: Chain) -> None:
    splits, token = chain.deploy("Splits"), chain.deploy("PlainToken", 6)
    payer = chain.deploy("TestPayer", splits.address)
    token.mint(payer.address, 1_000)
    payer.setRefusing(True)
    refused(lambda: payer.credit(keccak(b"id"), token.address, 1, b""), "Refused")
    payer.setRefusing(False)
    again = splits.data("creditByCallback", keccak(b"id"), token.address, 1, b"")
    payer.arm(splits.address, again, 1, False)
    assert payer.credit(keccak(b"id"), token.address, 1, b"") == 1
    assert not payer.lastSuccess()
    assert bytes(payer.lastReturned()) == keccak(b"ReentrancyGuardReentrantCall()")[:4]
