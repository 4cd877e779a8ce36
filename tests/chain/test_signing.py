"""Our transactions are those that eth-account makes, byte for byte."""

from __future__ import annotations

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from ledger.chain.signing import Signer, Transaction
from ledger.domain.address import checksum_address
from ledger.domain.errors import LedgerError

KEYS = st.integers(1, 2**255).map(lambda one: one.to_bytes(32, "big"))


@given(
    KEYS,
    st.integers(1, 2**32),
    st.integers(0, 2**40),
    st.integers(0, 2**50),
    st.integers(21_000, 16_777_216),
    st.binary(min_size=20, max_size=20) | st.none(),
    st.integers(0, 2**90),
    st.binary(max_size=300),
)
def test_signs_like_eth_account(key, chain, nonce, fee, gas, to, value, data):
    signer = Signer(key)
    address = None if to is None else "0x" + to.hex()
    raw, digest = signer.sign_transaction(Transaction(chain, nonce, fee // 2, fee, gas, address, value, data))
    fields = {
        "type": 2,
        "chainId": chain,
        "nonce": nonce,
        "maxPriorityFeePerGas": fee // 2,
        "maxFeePerGas": fee,
        "gas": gas,
        "value": value,
        "data": data,
    }
    if address is not None:
        fields["to"] = checksum_address(address)
    theirs = Account.sign_transaction(fields, key)
    assert raw == theirs.raw_transaction
    assert digest == theirs.hash
    assert signer.address == Account.from_key(key).address.lower()


@given(KEYS, st.binary(min_size=32, max_size=32))
def test_signatures_of_digests_recover_and_are_low(key, digest):
    signature = Signer(key).sign_digest(digest)
    assert Account._recover_hash(digest, signature=signature).lower() == Signer(key).address
    assert (
        int.from_bytes(signature[32:64], "big")
        <= 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
    )


@pytest.mark.parametrize("key", [b"", bytes(32), b"\xff" * 32, b"\1" * 31])
def test_refuses_what_is_no_key_without_showing_it(key):
    with pytest.raises(LedgerError) as refused:
        Signer(key)
    assert key.hex() not in str(refused.value) or not key


def test_a_signer_never_shows_its_key():
    assert "11" * 32 not in repr(Signer(b"\x11" * 32))
