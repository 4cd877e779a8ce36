"""Gas of Licences on anvil: gasUsed of the receipts, Splits, Catalogues, token and calldata included."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from _licences import LICENSEE, LICENSOR, NO_PERMIT, TOP, USD, World, figures, keccak, month
from _mini import START, Contract, Log, _reverted, abi_type, artefact
from eth_abi.abi import encode

from ledger.chain.anvil import find_anvil

REPORT, FURTHER, ACCEPT = 130_000, 45_000, 250_000
# A guarantee that is counted over the life is summed in a second word of storage.
SECOND_WORD = 6_000


class AnvilChain:
    """The interface of _mini.Chain on an anvil that automines; any account may send."""

    chain_id = 31337

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=60)
        self.sender = self.rpc("eth_accounts")[0]
        self.time = START
        self.logs: list[Log] = []
        self.gas_used = 0
        self.rpc("anvil_autoImpersonateAccount", True)
        for one in (LICENSOR, LICENSEE):
            self.rpc("anvil_setBalance", one, hex(10**24))

    def rpc(self, method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self.client.post("/", json=body).json()
        if "error" in answer:
            raise _reverted(
                f"output: {answer['error'].get('data')}" if answer["error"].get("data") else str(answer)
            )
        return answer["result"]

    def move(self, seconds: int) -> None:
        self.time += seconds

    def deploy(self, name: str, *args: Any) -> Contract:
        found = artefact(name)
        inputs = next((e["inputs"] for e in found["abi"] if e["type"] == "constructor"), [])
        data = found["bytecode"] + encode([abi_type(part) for part in inputs], args).hex()
        receipt = self._transact({"from": self.sender, "data": data})
        return Contract(self, name, receipt["contractAddress"].lower())  # type: ignore[arg-type]

    def send(
        self, to: str, data: bytes, sender: str | None = None, static: bool = False, gas: int | None = None
    ) -> bytes:
        call = {"from": sender or self.sender, "to": to, "data": "0x" + data.hex()}
        if static:
            return bytes.fromhex(self.rpc("eth_call", call, "latest")[2:])
        output = bytes.fromhex(self.rpc("eth_call", call, "pending", {}, {"time": hex(self.time)})[2:])
        receipt = self._transact(call)
        for log in receipt["logs"]:
            topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
            data = bytes.fromhex(log["data"][2:])
            self.logs.append(Log(0, self.time, log["address"].lower(), topics, data))
        return output

    def _transact(self, call: dict[str, Any]) -> Any:
        self.rpc("evm_setNextBlockTimestamp", self.time)
        sent = self.rpc("eth_sendTransaction", {**call, "gas": hex(16_777_216)})
        while (receipt := self.rpc("eth_getTransactionReceipt", sent)) is None:
            time.sleep(0.01)
        assert receipt["status"] == "0x1"
        self.gas_used = int(receipt["gasUsed"], 16)
        self.time += 1
        return receipt


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    command = [str(find_anvil()), "--port", "0", "--hardfork", "prague", "--timestamp", str(START - 100)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            for line in process.stdout:
                if found := re.search(r"Listening on (\S+)", line):
                    break
            chain = AnvilChain(f"http://{found[1]}")
            yield World(chain)
            chain.client.close()
        finally:
            process.kill()


def gas(world: World) -> int:
    return int(world.chain.gas_used)


HYBRID = {
    "upfront_fee": 5_000 * USD,
    "advance": True,
    "guarantee": 100 * USD,
    "tiers": [(100_000 * USD, 150_000), (TOP, 100_000)],
    "end": 1_900_000_000,
}


def accept_signed(world: World, permit: tuple[Any, ...], **changes: Any) -> int:
    terms, what = world.terms(**{**HYBRID, **changes}), world.what()
    world.licences.accept(terms, what, world.sign(terms, what), permit, sender=LICENSEE)
    licence = int(world.licences.count())
    world.bytes[licence] = terms
    return licence


def test_gas_accept_with_signature_permit_and_fee(world: World) -> None:
    fee = HYBRID["upfront_fee"]
    world.dollar.approve(world.licences.address, 0, sender=LICENSEE)
    accept_signed(world, world.permit(fee))
    first = gas(world)
    accept_signed(world, world.permit(fee))
    later = gas(world)
    world.dollar.approve(world.licences.address, 2**256 - 1, sender=LICENSEE)
    print(json.dumps({"accept: all first": first, "accept": later}))
    assert later <= ACCEPT


@pytest.mark.parametrize("over_life", [False, True])
def test_gas_report_paid_at_once(world: World, over_life: bool) -> None:
    licence = accept_signed(world, NO_PERMIT, advance=False, over_life=over_life, days_to_pay=1000)
    spent = []
    world.chain.time = max(world.chain.time, month(4))
    for period in range(3):
        world.report(licence, period, (200_000 + period) * USD, deductions=1_000 * USD, pay=True)
        spent.append(gas(world))
    print(json.dumps({f"report, over life {over_life}: first, second, third": spent}))
    assert world.state(licence)["openPeriods"] == 0
    assert max(spent[1:]) <= REPORT + over_life * SECOND_WORD


@pytest.mark.parametrize("pay", [False, True])
def test_gas_of_each_further_report(world: World, pay: bool) -> None:
    spent = []
    world.chain.time = max(world.chain.time, month(12))
    for count in (2, 11):
        licence = accept_signed(world, NO_PERMIT, advance=False, days_to_pay=1000)
        world.report(licence, 0, 200_000 * USD, pay=True)
        many = [
            figures(period, (100_000 + period) * USD, report_hash=keccak(bytes([period])))
            for period in range(1, 1 + count)
        ]
        world.licences.reportMany(licence, world.bytes[licence], many, pay, sender=LICENSEE)
        spent.append(gas(world))
    print(json.dumps({f"reportMany, paid {pay}: each further": (spent[1] - spent[0]) // 9}))
    assert (spent[1] - spent[0]) // 9 <= FURTHER


def test_gas_report_and_pay_later(world: World) -> None:
    licence = accept_signed(world, NO_PERMIT, advance=False, days_to_pay=300)
    world.chain.time = max(world.chain.time, month(12))
    world.report(licence, 0, 200_000 * USD)
    world.report(licence, 1, 200_000 * USD)
    spent = {"report, open": gas(world)}
    world.pay(licence, 1)
    spent["pay"] = gas(world)
    print(json.dumps(spent))
    assert spent["report, open"] <= REPORT
