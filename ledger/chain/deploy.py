"""Deterministic deployment by CREATE2: the same addresses on every chain, whoever deploys; and the check of
code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.chain.answers import hex_bytes, hex_int
from ledger.chain.artefacts import Artefact, load
from ledger.chain.requests import Outcome, Request, raise_failures
from ledger.chain.rpc import Rpc, RpcError
from ledger.chain.sender import Sender
from ledger.domain.address import checksum_address
from ledger.domain.canonical import address_word, keccak256, uint_word
from ledger.domain.chain_terms import domain_separator
from ledger.domain.errors import ExitCode, LedgerError

#: The deterministic deployment proxy (github.com/Arachnid/deterministic-deployment-proxy): its call data are
#: salt ‖ creation code. Its own transaction is signed by nobody's key, so it has one address on all chains.
FACTORY = "0x4e59b44847b379578588920ca78fbf26c0b4956c"
FACTORY_CODE = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd"
    "5b8082525050506014600cf3"
)
_FACTORY_DEPLOYER = "0x3fab184622dc19b6109349b94811493bf2a45362"
_FACTORY_COST = 10**16
_FACTORY_TRANSACTION = (
    "0xf8a58085174876e800830186a08080b853604580600e600039806000f350fe"
    + FACTORY_CODE.hex()
    + "1ba0"
    + "22" * 32
    + "a0"
    + "22" * 32
)

SALT = keccak256(b"licence-ledger v1")

#: The ledger's contracts and those whose addresses their constructors take, in the order of deployment.
LEDGER: Mapping[str, tuple[str, ...]] = {
    "Splits": (),
    "Catalogues": ("Splits",),
    "Licences": ("Splits", "Catalogues"),
    "LicenceViews": ("Licences",),
    "Distributions": ("Licences",),
    "Attributions": ("Licences",),
}
#: What the EIP-712 domains of contracts call themselves, all in version "1".
_DOMAINS = {
    "TestDollar": "Test Dollar (test chains only)",
    "BlocklistDollar": "Block Dollar (test chains only)",
}


@dataclass(frozen=True, slots=True)
class Planned:
    """A contract, the address that it has on every chain, and its creation code."""

    name: str
    artefact: Artefact
    address: str
    initcode: bytes


def create2_address(initcode: bytes, salt: bytes = SALT, factory: str = FACTORY) -> str:
    """Where the factory puts this creation code (EIP-1014)."""
    return "0x" + keccak256(b"\xff" + bytes.fromhex(factory[2:]) + salt + keccak256(initcode))[12:].hex()


def plan(tokens: Sequence[str] = ()) -> dict[str, Planned]:
    """The ledger's contracts, and test tokens by name, with their addresses. Needs no node."""
    planned: dict[str, Planned] = {}
    for name, needs in {**LEDGER, **dict.fromkeys(tokens, ())}.items():
        artefact = load(name)
        initcode = artefact.initcode(*(planned[one].address for one in needs))
        planned[name] = Planned(name, artefact, create2_address(initcode), initcode)
    return planned


def addresses() -> dict[str, str]:
    """The addresses of the ledger's contracts, by name."""
    return {name: one.address for name, one in plan().items()}


def expected_code(one: Planned, planned: Mapping[str, Planned], chain_id: int) -> bytes:
    """The runtime code with its immutables as the constructor fills them on this chain."""
    name = _DOMAINS.get(one.name, one.name)
    values = {
        "_cachedChainId": uint_word(chain_id),
        "_cachedThis": address_word(one.address),
        "_cachedDomainSeparator": domain_separator(name, chain_id, one.address),
        "_hashedName": keccak256(name.encode()),
        "_hashedVersion": keccak256(b"1"),
        "_name": _short_string(name),
        "_version": _short_string("1"),
        **{other.lower(): address_word(held.address) for other, held in planned.items()},
    }
    code = bytearray(one.artefact.runtime)
    for label, places in one.artefact.immutables.items():
        if label not in values:
            raise LedgerError(
                f"The immutable {label} of {one.name} is not known, so its code cannot be checked."
            )
        for start, length in places:
            code[start : start + length] = values[label][-length:]
    return bytes(code)


def _short_string(text: str) -> bytes:
    """OpenZeppelin's ShortString: the bytes at the left, their number in the last one."""
    encoded = text.encode()
    if len(encoded) > 31:
        return bytes(31) + b"\xff"
    return encoded.ljust(31, b"\0") + bytes((len(encoded),))


def check_code(rpc: Rpc, planned: Mapping[str, Planned]) -> dict[str, bool]:
    """Whether each contract is there. Raises LedgerError where other code stands at its address."""
    answers = rpc.batch([("eth_getCode", (one.address, "latest")) for one in planned.values()])
    present = {}
    for one, answer in zip(planned.values(), answers, strict=True):
        if isinstance(answer, RpcError):
            raise answer
        code = hex_bytes(answer)
        present[one.name] = bool(code)
        if code and code != expected_code(one, planned, rpc.chain_id):
            raise LedgerError(
                f"The code at {checksum_address(one.address)} is not that of {one.name}.",
                f"chain {rpc.chain_id}",
                "The node lies, or this package differs from the one that was deployed.",
                "Send nothing there. Compare the package's version, and ask another node.",
            )
    return present


def require_ledger(rpc: Rpc) -> dict[str, str]:
    """The ledger's addresses, its code checked. Raises LedgerError where it is not deployed."""
    planned = plan()
    missing = [name for name, there in check_code(rpc, planned).items() if not there]
    if missing:
        raise LedgerError(
            f"The ledger is not deployed on chain {rpc.chain_id}: {', '.join(missing)} missing.",
            rpc.shown,
            remedy="Deploy it: `licence-ledger deploy`.",
        )
    return {name: one.address for name, one in planned.items()}


def deploy(sender: Sender, tokens: Sequence[str] = ()) -> tuple[dict[str, Planned], list[Outcome]]:
    """Deploys what is missing of the ledger, and of the test tokens named; checks all code afterwards.

    It can be run again at any time: what is there is left alone. Test tokens are refused off a local chain.
    Raises LedgerError.
    """
    if tokens and not sender.rpc.is_local:
        raise LedgerError("Test tokens belong on a local chain only.", f"chain {sender.rpc.chain_id}")
    planned = plan(tokens)
    present = check_code(sender.rpc, planned)
    outcomes: list[Outcome] = []
    missing = [one for one in planned.values() if not present[one.name]]
    if missing:
        outcomes += deploy_factory(sender)
        outcomes += sender.send_all([_request(sender.rpc, one) for one in missing])
        if not all(check_code(sender.rpc, planned).values()):
            raise LedgerError(
                "A deployment left no code.", f"chain {sender.rpc.chain_id}", exit_code=ExitCode.REVERTED
            )
    return planned, outcomes


def _request(rpc: Rpc, one: Planned) -> Request:
    def still_needed() -> bool:
        return len(str(rpc.call("eth_getCode", one.address, "latest"))) <= 2

    return Request(
        key=f"deploy/{one.name}/{one.address}",
        to=FACTORY,
        data=SALT + one.initcode,
        note=f"deploy {one.name} to {checksum_address(one.address)}",
        still_needed=still_needed,
    )


def deploy_factory(sender: Sender) -> list[Outcome]:
    """Makes the CREATE2 factory where the chain lacks it, by its presigned transaction."""
    rpc = sender.rpc
    code = hex_bytes(rpc.call("eth_getCode", FACTORY, "latest"))
    if code == FACTORY_CODE:
        return []
    if code:
        raise LedgerError("Other code stands at the CREATE2 factory's address.", f"chain {rpc.chain_id}")
    outcomes = []
    held = hex_int(rpc.call("eth_getBalance", _FACTORY_DEPLOYER, "latest"))
    if held < _FACTORY_COST:
        fund = Request(
            key=f"factory/{held}",
            to=_FACTORY_DEPLOYER,
            data=b"",
            value=_FACTORY_COST - held,
            gas=21_000,
            note="fund the CREATE2 factory's deployer",
        )
        outcomes = sender.send([fund])
        raise_failures(outcomes)
    try:
        digest = rpc.call("eth_sendRawTransaction", _FACTORY_TRANSACTION)
    except RpcError as error:
        raise LedgerError(
            "The chain does not take the CREATE2 factory's presigned transaction.",
            f"chain {rpc.chain_id}",
            error.message,
            "Ask the chain's operators for the deterministic deployment proxy at " + FACTORY + ".",
        ) from error
    rpc.await_receipt(hex_bytes(digest))
    return outcomes
