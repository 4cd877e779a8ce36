"""Key files, passwords, and the published keys."""

from __future__ import annotations

import json
import stat

import pytest

from ledger.chain import keys
from ledger.domain.errors import LedgerError

FAST = 2  # scrypt's n: no test waits a second


class FakeRpc:
    """A chain that is local or not."""

    def __init__(self, local: bool) -> None:
        self.is_local = local
        self.chain_id = 31337 if local else 1


def test_a_new_key_is_encrypted_private_and_unlocks(tmp_path):
    account = keys.new_account("till", "pass word", tmp_path, work=FAST)
    assert stat.S_IMODE(account.path.stat().st_mode) == 0o600
    signer = keys.unlock("till", tmp_path, prompt=lambda question: "pass word")
    assert signer.address == account.address
    assert keys.list_accounts(tmp_path) == [account]


def test_import_takes_hex_and_other_programs_files(tmp_path):
    account = keys.import_account("one", "0x" + "11" * 32, "p", tmp_path, work=FAST)
    assert account.address == "0x19e7e376e7c213b7e7e7e46cc70a5dd086daff2a"
    again = keys.import_file("two", account.path, "p", tmp_path)
    assert again.address == account.address


def test_passwords_come_from_file_or_environment_or_prompt(tmp_path, monkeypatch):
    keys.new_account("till", "secret", tmp_path, work=FAST)
    file = tmp_path / "password"
    file.write_text("secret\n")
    assert keys.unlock("till", tmp_path, password_file=file)
    monkeypatch.setenv(keys.PASSWORD_VARIABLE, "secret")
    assert keys.unlock("till", tmp_path)


def test_locked_wrong_missing_and_damaged_are_told_apart(tmp_path):
    account = keys.new_account("till", "secret", tmp_path, work=FAST)
    with pytest.raises(LedgerError, match="locked"):
        keys.unlock("till", tmp_path)
    with pytest.raises(LedgerError, match="password is wrong"):
        keys.unlock("till", tmp_path, prompt=lambda question: "guess")
    with pytest.raises(LedgerError, match="no account tell") as missing:
        keys.unlock("tell", tmp_path)
    assert "till" in missing.value.remedy
    account.path.write_text("{}")
    with pytest.raises(LedgerError, match="no key file"):
        keys.unlock("till", tmp_path, prompt=lambda question: "secret")
    account.path.write_text('{"address": "00", "version": 3, "crypto": {}}')
    with pytest.raises(LedgerError, match="damaged"):
        keys.unlock("till", tmp_path, prompt=lambda question: "secret")


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        # Version 3 checks the ciphertext alone: another initial vector, or address, passes its check.
        (("crypto", "cipherparams", "iv"), "00" * 16, "holds the key of"),
        (("address",), "11" * 20, "it states 0x1111"),
        (("address",), "0x1", "damaged"),
        (("crypto", "kdfparams", "n"), 3, "damaged"),
        (("crypto", "kdfparams", "n"), "many", "damaged"),
        (("crypto", "mac"), "zz", "damaged"),
        (("crypto", "ciphertext"), None, "damaged"),
        (("crypto",), [], "damaged"),
    ],
)
def test_a_damaged_file_never_gives_another_key(tmp_path, place, value, said):
    account = keys.new_account("till", "secret", tmp_path, work=FAST)
    held = json.loads(account.path.read_text())
    part = held
    for name in place[:-1]:
        part = part[name]
    part[place[-1]] = value
    account.path.write_text(json.dumps(held))
    with pytest.raises(LedgerError, match=said) as refused:
        keys.unlock("till", tmp_path, prompt=lambda question: "secret")
    assert refused.value.where == str(account.path)
    assert refused.value.remedy
    with pytest.raises(LedgerError, match=said):
        keys.import_file("copy", account.path, "secret", tmp_path)
    assert not (tmp_path / f"copy{keys.SUFFIX}").exists()


@pytest.mark.parametrize("content", ["", "[]", '{"address": 5}', '{"address": "0x' + "z" * 40 + '"}'])
def test_an_account_whose_file_is_damaged_is_there_all_the_same(tmp_path, content):
    path = tmp_path / f"till{keys.SUFFIX}"
    path.write_text(content)
    with pytest.raises(LedgerError, match=r"no key file|damaged") as refused:
        keys.address_of("till", tmp_path)
    assert refused.value.where == str(path)
    assert keys.list_accounts(tmp_path) == []


def test_a_key_file_is_never_replaced(tmp_path):
    keys.new_account("till", "secret", tmp_path, work=FAST)
    with pytest.raises(LedgerError, match="already"):
        keys.import_account("till", "11" * 32, "p", tmp_path, work=FAST)


@pytest.mark.parametrize("name", ["", "../evil", "a/b", ".hidden", "x" * 65, "0x" + "11" * 20])
def test_names_cannot_leave_the_folder(tmp_path, name):
    with pytest.raises(LedgerError, match="cannot name"):
        keys.new_account(name, "secret", tmp_path, work=FAST)


@pytest.mark.parametrize("bad", ["", "12", "zz" * 32, "0x" + "00" * 32])
def test_what_is_no_key_is_refused(tmp_path, bad):
    with pytest.raises(LedgerError, match="no private key"):
        keys.import_account("till", bad, "p", tmp_path, work=FAST)
    assert not keys.list_accounts(tmp_path)


def test_an_empty_password_is_refused(tmp_path):
    with pytest.raises(LedgerError, match="empty password"):
        keys.new_account("till", "", tmp_path, work=FAST)


def test_published_keys_work_on_a_local_chain_only(tmp_path):
    assert keys.resolve("dev:0", FakeRpc(True)).address == "0xf39fd6e51aad88f6f4ce6ab8827279cfffb92266"
    with pytest.raises(LedgerError, match="published"):
        keys.resolve("dev:0", FakeRpc(False))
    with pytest.raises(LedgerError, match="no account dev:10"):
        keys.resolve("dev:10", FakeRpc(True))
    with pytest.raises(LedgerError, match="no account dev:x"):
        keys.resolve("dev:x", FakeRpc(True))


def test_a_published_key_in_a_key_file_is_refused_too(tmp_path):
    keys.import_account("sly", keys._DEV_KEYS[3], "p", tmp_path, work=FAST)
    assert keys.resolve("sly", FakeRpc(True), tmp_path, prompt=lambda question: "p")
    with pytest.raises(LedgerError, match="published"):
        keys.resolve("sly", FakeRpc(False), tmp_path, prompt=lambda question: "p")


def test_the_published_keys_are_anvil_s(rpc):
    accounts = [one.lower() for one in rpc.call("eth_accounts")]
    assert accounts == [keys.dev_signer(number).address for number in range(10)]
    assert all(map(keys.is_dev_address, accounts))
