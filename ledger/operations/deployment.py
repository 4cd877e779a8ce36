"""Deploying the ledger: the same addresses on every chain, whoever does it, as often as one likes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.chain import deploy as chain_deploy
from ledger.chain.deployments import Deployments
from ledger.chain.requests import Outcome
from ledger.chain.sender import Sender
from ledger.domain.address import checksum_address
from ledger.operations.plan import Effect, Plan
from ledger.operations.session import Session
from ledger.operations.tokens import TEST_TOKENS


@dataclass(frozen=True, slots=True)
class Deployed:
    """Contracts by name with their addresses (checksummed), and what was sent now."""

    addresses: dict[str, str]
    new: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


def test_tokens(session: Session) -> tuple[str, ...]:
    """The test tokens that belong on this chain: all on a test chain, none elsewhere."""
    return tuple(TEST_TOKENS.values()) if session.is_local else ()


def missing(session: Session, tokens: Sequence[str]) -> list[chain_deploy.Planned]:
    """What is not on the chain yet. Raises LedgerError where other code stands at an address."""
    planned = chain_deploy.plan(tokens)
    present = chain_deploy.check_code(session.rpc, planned)
    return [one for name, one in planned.items() if not present[name]]


def plan_deploy(session: Session, tokens: Sequence[str]) -> Plan:
    """What would be deployed. The factory's own steps, where the chain lacks it, are told but not
    rehearsed.
    """
    sender = session.address()
    effects = [
        Effect(checksum_address(sender), "deploys", one.name, f"at {checksum_address(one.address)}")
        for one in missing(session, tokens)
    ]
    return Plan(sender, effects)


def deploy(session: Session, sender: Sender, tokens: Sequence[str]) -> Deployed:
    """Deploys what is missing and enters it in the chain's book. Raises LedgerError."""
    new = tuple(one.name for one in missing(session, tokens))
    planned, outcomes = chain_deploy.deploy(sender, tokens)
    Deployments(session.rpc, session.home.path).record(planned, outcomes)
    addresses = {name: checksum_address(one.address) for name, one in planned.items()}
    return Deployed(addresses, new, tuple(outcomes))
