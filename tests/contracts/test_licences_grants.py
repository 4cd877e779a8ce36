"""Licences: offers, acceptance, scope and exclusivity, the token."""

from __future__ import annotations

from typing import Any

import pytest
from _licences import (
    BUYER,
    LICENSEE,
    LICENSEE_KEY,
    LICENSOR,
    MAX,
    NO_PERMIT,
    START,
    STRANGER,
    USD,
    World,
    month,
)
from _mini import Reverted, keccak


@pytest.fixture
def world() -> World:
    return World()


def refused(name: str) -> Any:
    return pytest.raises(Reverted, match=f"^{name}|'{name}'")


# Offers


def test_an_offer_on_chain_is_accepted_once(world: World) -> None:
    terms, what = world.terms(), world.what()
    offer_id = world.licences.offer(terms, what, sender=LICENSOR)
    assert offer_id == world.licences.offerIdOf(terms, what)
    assert world.licences.offeredBy(offer_id) == LICENSOR
    assert world.licences.accept(terms, what, b"", NO_PERMIT, sender=LICENSEE) == 1
    assert world.licences.ownerOf(1) == LICENSEE
    assert world.licences.nonceUsed(LICENSOR, what[0])
    with refused("Licences_NonceUsed"):
        world.licences.accept(terms, what, b"", NO_PERMIT, sender=LICENSEE)
    with refused("Licences_NonceUsed"):
        world.licences.offer(terms, what, sender=LICENSOR)


def test_only_the_owner_of_the_catalogue_offers(world: World) -> None:
    with refused("Licences_NotLicensor"):
        world.licences.offer(world.terms(), world.what(), sender=STRANGER)
    with refused("Catalogues_Unknown"):
        world.licences.offer(world.terms(catalogue=77), world.what(), sender=LICENSOR)


def test_what_was_not_offered_is_not_accepted(world: World) -> None:
    terms, what = world.terms(), world.what()
    world.licences.offer(terms, what, sender=LICENSOR)
    for other in (
        (what[0] + 50, what[1], what[2]),
        (what[0], what[1] + 1, what[2]),
        (what[0], what[1], "ipfs://x"),
    ):
        with refused("Licences_NotOffered"):
            world.licences.accept(terms, other, b"", NO_PERMIT, sender=LICENSEE)
    with refused("Licences_NotOffered"):
        world.licences.accept(world.terms(cap=1), what, b"", NO_PERMIT, sender=LICENSEE)


def test_an_offer_lapses_when_the_catalogue_changes_hands(world: World) -> None:
    terms, what = world.terms(), world.what()
    world.licences.offer(terms, what, sender=LICENSOR)
    signature = world.sign(terms, what)
    world.catalogues.offerOwnership(world.catalogue, STRANGER, sender=LICENSOR)
    world.catalogues.acceptOwnership(world.catalogue, sender=STRANGER)
    for given in (b"", signature):
        with refused("Licences_NotOffered"):
            world.licences.accept(terms, what, given, NO_PERMIT, sender=LICENSEE)


def test_p09_the_deadline_is_the_last_second(world: World) -> None:
    terms = world.terms()
    what = world.what(deadline=world.chain.time + 10)
    world.licences.offer(terms, what, sender=LICENSOR)
    late = world.what(deadline=world.chain.time + 9)
    world.licences.offer(terms, late, sender=LICENSOR)
    world.chain.move(10)
    with refused("Licences_OfferExpired"):
        world.licences.accept(terms, late, b"", NO_PERMIT, sender=LICENSEE)
    with refused("Licences_OfferExpired"):
        world.licences.offer(terms, late, sender=LICENSOR)
    world.licences.accept(terms, what, b"", NO_PERMIT, sender=LICENSEE)


def test_p09_only_the_invited_licensee_accepts_unless_anyone_may(world: World) -> None:
    what = world.what()
    with refused("Licences_NotInvited"):
        world.licences.accept(
            world.terms(), what, world.sign(world.terms(), what), NO_PERMIT, sender=STRANGER
        )
    anyone = world.terms(licensee="0x" + "00" * 20)
    world.licences.accept(anyone, what, world.sign(anyone, what), NO_PERMIT, sender=STRANGER)
    assert world.licences.ownerOf(1) == STRANGER


def test_p09_a_term_that_is_over_is_not_accepted(world: World) -> None:
    now = world.chain.time
    world.accept(world.terms(start=now - 100, end=now + 1))
    with refused("Licences_TermOver"):
        world.accept(world.terms(start=now - 100, end=now))


def test_a_token_without_code_is_refused(world: World) -> None:
    with pytest.raises(Reverted) as error:
        world.accept(world.terms(token=STRANGER))
    assert error.value.values == (4,)


def test_a_catalogue_without_a_split_grants_nothing(world: World) -> None:
    empty = world.create()
    with refused("Catalogues_NoSplitAt"):
        world.accept(world.terms(catalogue=empty))


# Signatures


def test_p13_a_signature_binds_chain_contract_nonce_deadline_and_terms(world: World) -> None:
    terms, what = world.terms(), world.what()

    def accept(signature: bytes, with_what: Any = what, with_terms: bytes = terms) -> None:
        world.licences.accept(with_terms, with_what, signature, NO_PERMIT, sender=LICENSEE)

    good = world.sign(terms, what)
    wrong = [
        (world.sign(terms, what, chainId=2), what, terms),
        (world.sign(terms, what, verifyingContract=world.splits.address), what, terms),
        (world.sign(terms, what, name="Splits"), what, terms),
        (world.sign(terms, what, version="2"), what, terms),
        (world.sign(terms, what, key=LICENSEE_KEY), what, terms),
        (good, (what[0] + 1, what[1], what[2]), terms),
        (good, (what[0], what[1] + 1, what[2]), terms),
        (good, (what[0], what[1], "ipfs://other"), terms),
        (good, what, world.terms(upfront_fee=1)),
        (good[:-1], what, terms),
        (good[:64] + bytes([good[64] ^ 1]), what, terms),
        (b"\x01", what, terms),
    ]
    for signature, other, given in wrong:
        with refused("Licences_NotOffered"):
            accept(signature, other, given)
    accept(good)


def test_p13_a_malleable_signature_is_refused(world: World) -> None:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    terms, what = world.terms(), world.what()
    good = world.sign(terms, what)
    other = (
        good[:32] + (order - int.from_bytes(good[32:64], "big")).to_bytes(32, "big") + bytes([good[64] ^ 7])
    )
    for signature in (other, other[:64] + bytes([27]), other[:64] + bytes([28])):
        with refused("Licences_NotOffered"):
            world.licences.accept(terms, what, signature, NO_PERMIT, sender=LICENSEE)


def test_p05_p13_a_signature_is_used_once_and_a_nonce_can_be_cancelled(world: World) -> None:
    terms, what = world.terms(), world.what()
    signature = world.sign(terms, what)
    world.licences.accept(terms, what, signature, NO_PERMIT, sender=LICENSEE)
    with refused("Licences_NonceUsed"):
        world.licences.accept(terms, what, signature, NO_PERMIT, sender=LICENSEE)
    other = world.what()
    world.licences.cancelNonce(other[0], sender=STRANGER)
    assert not world.licences.nonceUsed(LICENSOR, other[0])
    world.licences.cancelNonce(other[0], sender=LICENSOR)
    with refused("Licences_NonceUsed"):
        world.licences.accept(terms, other, world.sign(terms, other), NO_PERMIT, sender=LICENSEE)
    with refused("Licences_NonceUsed"):
        world.licences.cancelNonce(other[0], sender=LICENSOR)


def test_nonces_are_a_bitmap_of_256_bit_words(world: World) -> None:
    for nonce in (0, 255, 256, MAX):
        world.licences.cancelNonce(nonce, sender=LICENSOR)
    used = [
        nonce
        for nonce in (0, 1, 254, 255, 256, 257, MAX - 1, MAX)
        if world.licences.nonceUsed(LICENSOR, nonce)
    ]
    assert used == [0, 255, 256, MAX]


def test_p13_a_wallet_with_code_signs_by_erc1271(world: World) -> None:
    wallet = world.chain.deploy("SmartWallet", LICENSOR)
    world.catalogues.offerOwnership(world.catalogue, wallet.address, sender=LICENSOR)
    wallet.execute(world.catalogues.address, world.catalogues.data("acceptOwnership", world.catalogue))
    terms, what = world.terms(), world.what()
    wallet.setAnswer(2)
    with refused("Licences_NotOffered"):
        world.licences.accept(terms, what, world.sign(terms, what), NO_PERMIT, sender=LICENSEE)
    wallet.setAnswer(0)
    world.licences.accept(terms, what, world.sign(terms, what), NO_PERMIT, sender=LICENSEE)
    assert world.entries("Accepted")[-1]["licensor"] == wallet.address.lower()


# Fee and permit


def test_the_fee_goes_from_the_caller_to_the_split_in_force(world: World) -> None:
    before = world.dollar.balanceOf(LICENSEE)
    licence = world.grant(upfront_fee=5_000 * USD)
    assert before - world.dollar.balanceOf(LICENSEE) == 5_000 * USD == world.credited()
    entry = world.entries("Accepted")[-1]
    assert (entry["destination"], entry["fee"], entry["terms"]) == (
        world.split,
        5_000 * USD,
        world.bytes[licence],
    )


def test_the_fee_of_a_weighted_licence_goes_to_the_split_too(world: World) -> None:
    world.grant(upfront_fee=7, distributions=STRANGER)
    assert world.credited() == 7


def test_a_fee_that_arrives_short_is_refused(world: World) -> None:
    token = world.chain.deploy("FeeToken", 6, 1000)
    world.fund(token, LICENSEE)
    with refused("Licences_FeeShort"):
        world.grant(token=token.address, upfront_fee=10_000)
    token.setFee(0)
    world.grant(token=token.address, upfront_fee=10_000)
    assert world.credited(token=token) == 10_000


def test_p05_a_permit_sent_ahead_by_somebody_else_harms_nobody(world: World) -> None:
    terms, what = world.terms(upfront_fee=5), world.what()
    world.dollar.approve(world.licences.address, 0, sender=LICENSEE)
    permit = world.permit(6)
    world.dollar.permit(LICENSEE, world.licences.address, *permit, sender=STRANGER)
    world.licences.accept(terms, what, world.sign(terms, what), permit, sender=LICENSEE)
    assert (world.credited(), world.dollar.allowance(LICENSEE, world.licences.address)) == (5, 1)


def test_a_permit_that_fails_for_whatever_reason_is_passed_over(world: World) -> None:
    terms, what = world.terms(upfront_fee=5), world.what()
    broken = (5, world.chain.time + 5, 27, bytes(31) + b"\x01", bytes(31) + b"\x01")
    world.licences.accept(terms, what, world.sign(terms, what), broken, sender=LICENSEE)
    assert world.credited() == 5


def test_p05_without_allowance_nothing_is_granted(world: World) -> None:
    world.dollar.approve(world.licences.address, 4, sender=LICENSEE)
    with pytest.raises(Reverted):
        world.grant(upfront_fee=5)
    assert world.licences.count() == 0
    assert world.licences.liveOf(world.catalogue, 0) == (0, 0)


# Scope and exclusivity


def test_scope_counts_live_licences_per_bit_and_catalogue(world: World) -> None:
    world.grant(scope=0b11)
    world.grant(scope=0b10)
    assert [world.licences.liveOf(world.catalogue, bit) for bit in range(11)] == [(1, 0), (2, 0)] + [
        (0, 0)
    ] * 9


def test_p09_exclusivity_blocks_both_ways_and_names_the_bits(world: World) -> None:
    world.grant(scope=0b1000000011)
    with pytest.raises(Reverted) as error:
        world.grant(scope=0b1000000111, exclusive=0b1000000110)
    assert (error.value.name, error.value.values) == ("Licences_ScopeTaken", (world.catalogue, 0b1000000010))
    world.grant(scope=0b100, exclusive=0b100)
    assert world.licences.liveOf(world.catalogue, 2) == (1, 1)
    with pytest.raises(Reverted) as error:
        world.grant(scope=0b111)
    assert error.value.values == (world.catalogue, 0b100)
    other = world.create()
    world.announce(other)
    world.grant(catalogue=other, scope=0b111, exclusive=0b111)


def test_p10_exclusivity_lasts_until_expiry_is_recorded(world: World) -> None:
    licence = world.grant(scope=0b101, exclusive=0b001, end=month(1))
    world.at(month(1))
    with refused("Licences_ScopeTaken"):
        world.grant(scope=0b001)
    world.licences.expire(licence, world.bytes[licence], sender=STRANGER)
    assert world.licences.liveOf(world.catalogue, 0) == world.licences.liveOf(world.catalogue, 2) == (0, 0)
    world.grant(scope=0b001, exclusive=0b001)


# The token


def test_the_token_names_its_terms_and_its_standards(world: World) -> None:
    licence = world.grant()
    digest = keccak(world.bytes[licence]).hex()
    assert world.licences.tokenURI(licence) == f"urn:keccak256:0x{digest}"
    assert (world.licences.name(), world.licences.symbol()) == ("Licences", "LICENCE")
    ids = {"01ffc9a7": True, "80ac58cd": True, "5b5e139f": True, "b45a3c0e": True, "ffffffff": False}
    assert {key: world.licences.supportsInterface(bytes.fromhex(key)) for key in ids} == ids
    for view in (world.licences.tokenURI, world.licences.locked):
        with refused("ERC721NonexistentToken"):
            view(9)


def test_the_eip712_domain_is_the_one_that_signatures_use(world: World) -> None:
    fields, name, version, chain_id, contract, salt, extensions = world.licences.eip712Domain()
    assert (fields, name, version, chain_id) == (b"\x0f", "Licences", "1", 1)
    assert (contract, salt, extensions) == (world.licences.address.lower(), bytes(32), ())


def test_a_licence_that_is_not_transferable_is_locked_for_good(world: World) -> None:
    licence = world.grant(transferable=False)
    locked = keccak(b"Locked(uint256)")
    assert [log.data for log in world.chain.logs if log.topics[0] == locked] == [licence.to_bytes(32, "big")]
    assert world.licences.locked(licence)
    with refused("Licences_Locked"):
        world.licences.transferFrom(LICENSEE, BUYER, licence, sender=LICENSEE)
    other = world.grant()
    assert not world.licences.locked(other)
    assert sum(log.topics[0] == locked for log in world.chain.logs) == 1


def test_a_transfer_moves_the_licensees_part(world: World) -> None:
    licence = world.grant()
    world.licences.transferFrom(LICENSEE, BUYER, licence, sender=LICENSEE)
    entry = world.entries("Moved")[-1]
    assert (entry["caller"], entry["from"], entry["to"]) == (LICENSEE, LICENSEE, BUYER)
    world.at(month(1))
    with refused("Licences_NotLicensee"):
        world.report(licence, 0, 1)


@pytest.mark.parametrize("case", ["open", "disputed", "cure"])
def test_nothing_moves_while_open_disputed_or_in_cure(world: World, case: str) -> None:
    licence = world.grant()
    world.at(month(1))
    if case == "open":
        world.report(licence, 0, 100 * USD)
    elif case == "disputed":
        world.report(licence, 0, 100 * USD, pay=True)
        world.object(licence, 0, 50 * USD)
    else:
        world.at(month(1) + 21 * 86_400)
        world.licences.giveNotice(licence, world.bytes[licence], 0, sender=LICENSOR)
    with refused("Licences_Locked"):
        world.licences.transferFrom(LICENSEE, BUYER, licence, sender=LICENSEE)
    if case == "open":
        world.pay(licence, 0)
    elif case == "disputed":
        world.settle(licence, 0, False, LICENSEE)
    else:
        world.report(licence, 0, 100 * USD, pay=True)
    world.licences.transferFrom(LICENSEE, BUYER, licence, sender=LICENSEE)


def test_p05_an_approved_mover_and_a_receiver_with_code(world: World) -> None:
    licence = world.grant()
    with refused("ERC721InsufficientApproval"):
        world.licences.transferFrom(LICENSEE, BUYER, licence, sender=STRANGER)
    world.licences.approve(STRANGER, licence, sender=LICENSEE)
    receiver = world.chain.deploy("ReenteringPayee")
    receiver.arm(world.licences.address, world.licences.data("cancelNonce", 1), 1, True)
    data = world.licences.data("transferFrom", LICENSEE, receiver.address, licence)[4:]
    selector = keccak(b"safeTransferFrom(address,address,uint256)")[:4]
    with refused("ReentrancyGuardReentrantCall"):
        world.chain.send(world.licences.address, selector + data, STRANGER)
    receiver.arm(world.licences.address, b"", 0, False)
    world.chain.send(world.licences.address, selector + data, STRANGER)
    assert world.licences.ownerOf(licence) == receiver.address.lower()


def test_a_start_in_the_past_counts_its_dates_from_acceptance(world: World) -> None:
    licence = world.grant(start=START - 60 * 86_400)
    due = world.due(licence, 0)
    accepted = world.state(licence)["acceptedAt"]
    assert due["end"] < accepted
    assert (due["reportBy"], due["payBy"]) == (accepted + 20 * 86_400, accepted + 30 * 86_400)
    world.report(licence, 0, 10 * USD, pay=True)
