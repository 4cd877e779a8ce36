"""Tokens: which one is meant, test money, allowances."""

from __future__ import annotations

from ledger.chain.deploy import check_code, plan
from ledger.chain.deployments import Deployments
from ledger.chain.requests import Request, fresh_key
from ledger.chain.tokens import Token
from ledger.domain.address import checksum_address, parse_address
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.money import parse_amount
from ledger.operations.plan import Effect, Plan, shown_amount
from ledger.operations.session import Session

#: Test tokens that `deploy` brings to a test chain, by the symbols that stand for them.
TEST_TOKENS = {"TUSD": "TestDollar", "BUSD": "BlocklistDollar"}
_UNLIMITED = 2**256 - 1


def find_token(session: Session, text: str) -> Token:
    """A token by its address, or on a test chain by name or symbol of a test token. Raises LedgerError."""
    if text.startswith("0x"):
        token = Token(parse_address(text), session.reader)
        token.symbol  # noqa: B018 - refuses an address without code
        return token
    name = TEST_TOKENS.get(text.upper(), text)
    if name not in TEST_TOKENS.values():
        known = ", ".join([*TEST_TOKENS, *TEST_TOKENS.values()])
        raise ValueRefused(
            f"{text!r} is no token.", remedy=f"Give its address, or on a test chain one of {known}."
        )
    if not session.is_local:
        raise LedgerError(
            "Test tokens are on a test chain only.",
            f"chain {session.rpc.chain_id}",
            remedy="Give the address.",
        )
    one = plan([name])[name]
    if not check_code(session.rpc, {name: one})[name]:
        raise LedgerError(
            f"The test token {name} is not deployed.", remedy="Deploy it: `licence-ledger deploy`."
        )
    return Token(one.address, session.reader)


def the_test_token(session: Session, text: str = "") -> Token:
    """The token meant by an empty name: TestDollar. Raises LedgerError off a test chain."""
    return find_token(session, text or "TestDollar")


def amount_of(token: Token, text: str) -> int:
    """Base units of a decimal string in the token's decimals. Raises ValueRefused."""
    return parse_amount(text, token.decimals)


def plan_mint(session: Session, token: Token, to: str, units: int) -> Plan:
    """Test money for an address. Raises LedgerError off a test chain."""
    if not session.is_local:
        raise LedgerError(
            "Money is minted on a test chain only.",
            f"chain {session.rpc.chain_id}",
            remedy="Use the token's own issuer there.",
        )
    sender = session.address()
    effect = Effect(
        checksum_address(sender), "mints", shown_amount(token, units), f"for {checksum_address(to)}"
    )
    return Plan(sender, [effect], [token.mint(to, units)])


def plan_approve(session: Session, token: Token, spender: str, units: int | None) -> Plan:
    """An allowance to Splits or Licences; None: without limit. A limit that stands is set to zero first if
    need be.
    """
    sender = session.address()
    what = "any amount" if units is None else shown_amount(token, units)
    effect = Effect(
        checksum_address(sender), "lets", f"{checksum_address(spender)} move", f"{what} of its {token.symbol}"
    )
    return Plan(sender, [effect], [token.approve(spender, _UNLIMITED if units is None else units)])


def needs_allowance(token: Token, owner: str, spender: str, units: int) -> list[Request]:
    """What makes an allowance at least so large: nothing, one approval, or two for tokens that demand zero
    between.
    """
    held = token.allowance(owner, spender)
    if held >= units:
        return []
    approve = token.approve(spender, units)
    if held == 0:
        return [approve]
    zero = token.approve(spender, 0)
    return [Request(fresh_key("approve/zero"), zero.to, zero.data, note=zero.note), approve]


def book_of_deployments(session: Session) -> Deployments:
    """The chain's book of deployments in the home folder."""
    return Deployments(session.rpc, session.home.path)
