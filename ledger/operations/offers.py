"""Offers: terms checked against the chain, signed into a file or put on chain, and accepted."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, replace
from typing import Any

from ledger.chain.contracts import NO_PERMIT
from ledger.chain.requests import Outcome, Request
from ledger.chain.sender import Sender
from ledger.chain.signing import Signer
from ledger.chain.tokens import Permit, Token
from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.chain_terms import ChainTerms, Offer, offer_id, offer_typed_data
from ledger.domain.errors import ExitCode, Findings, LedgerError, ValueRefused
from ledger.domain.journal import decode_entry, event_shapes
from ledger.domain.terms import TermsDocument, parse_terms
from ledger.domain.terms_fields import format_time, parse_time
from ledger.operations import licences
from ledger.operations.plan import Effect, Plan, shown_amount
from ledger.operations.session import Session, send_all
from ledger.operations.tokens import book_of_deployments, needs_allowance

OFFER_VERSION = "1"


@dataclass(frozen=True)
class LicenceOffer:
    """An offer. An empty signature: it stands on chain. Without a document only what the chain enforces is
    known.
    """

    terms: ChainTerms
    what: Offer
    signature: bytes
    document: TermsDocument | None
    chain_id: int
    licences: str

    @property
    def id(self) -> bytes:
        """The EIP-712 digest, which is the offer's id."""
        return offer_id(self.terms, self.what, chain_id=self.chain_id, licences=self.licences)

    def to_json(self) -> bytes:
        """The file that is handed to the licensee: document, terms, offer, signature, and the typed data."""
        held = {
            "offer": OFFER_VERSION,
            "chain_id": self.chain_id,
            "licences": checksum_address(self.licences),
            "nonce": str(self.what.nonce),
            "deadline": self.what.deadline,
            "uri": self.what.uri,
            "terms": "0x" + self.terms.encode().hex(),
            "document": self.document.model_dump(mode="json") if self.document else None,
            "signature": "0x" + self.signature.hex(),
            "typed_data": offer_typed_data(
                self.terms, self.what, chain_id=self.chain_id, licences=checksum_address(self.licences)
            ),
        }
        held["typed_data"] = _texts(held["typed_data"])
        return json.dumps(held, indent=2, ensure_ascii=False).encode() + b"\n"


def _texts(value: Any) -> Any:
    """Numbers beyond 2^53 as text, as wallets take them."""
    if isinstance(value, dict):
        return {name: _texts(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_texts(one) for one in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) and value > 2**53 else value


# ---- offering


def read_document(content: bytes, where: str) -> TermsDocument:
    """A terms document of YAML or JSON. Raises FindingsError with every flaw."""
    try:
        return parse_terms(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueRefused("The file is not UTF-8.", where, remedy="Save it as UTF-8.") from error
    except LedgerError as error:
        error.where = f"{where}, {error.where}" if error.where else where
        raise


def check_document(session: Session, document: TermsDocument, where: str = "") -> ChainTerms:
    """The terms that the chain enforces, compared with the catalogue and the token. Raises FindingsError
    with all.
    """
    findings = Findings()
    catalogues = session.ledger.catalogues
    try:
        owner = catalogues.view("ownerOf", document.catalogue)
        root = catalogues.view("manifestOf", document.catalogue).worksRoot
    except LedgerError as error:
        findings.add("catalogue", error.what, error.remedy)
    else:
        if owner != document.licensor:
            findings.add(
                "licensor",
                f"Catalogue {document.catalogue} belongs to {checksum_address(owner)}.",
                "Name it, or another catalogue.",
            )
        if "0x" + root.hex() != document.works_root:
            findings.add("works_root", f"The catalogue's manifest has the root 0x{root.hex()}.", "Copy it.")
    decimals = None
    token = session.ledger.token(document.money.token)
    try:
        decimals = token.decimals
        if token.symbol != document.money.symbol:
            findings.add(
                "money.symbol", f"The token calls itself {token.symbol!r}.", "Check that it is the one meant."
            )
    except LedgerError as error:
        findings.add("money.token", error.what, error.remedy)
    if document.reach.end is not None and parse_time(document.reach.end) <= session.now():
        findings.add(
            "reach.end", f"The term ended {document.reach.end}: nobody could accept it.", "Give a later end."
        )
    try:
        terms = document.chain_terms(decimals)
    except LedgerError as error:
        findings.add(error.where, error.what, error.remedy)
        raise findings.error("The licence terms were refused", where) from error
    findings.raise_if_any("The licence terms were refused", where)
    return terms


def make_offer(
    session: Session, document: TermsDocument, *, valid_days: int, uri: str = "", where: str = ""
) -> LicenceOffer:
    """An unsigned offer with a nonce of its own. Raises FindingsError where the document does not fit the
    chain.
    """
    terms = check_document(session, document, where)
    sender = session.address()
    if sender != document.licensor:
        raise LedgerError(
            f"The licensor is {checksum_address(document.licensor)}, not {checksum_address(sender)}.",
            remedy="Give the licensor's account: --from NAME.",
        )
    what = Offer(secrets.randbits(64), session.now() + valid_days * 86_400, uri)
    return LicenceOffer(terms, what, b"", document, session.rpc.chain_id, session.ledger.licences.address)


def sign(offer: LicenceOffer, signer: Signer) -> LicenceOffer:
    """The offer with the licensor's EIP-712 signature."""
    return replace(offer, signature=signer.sign_digest(offer.id))


def plan_offer(session: Session, offer: LicenceOffer) -> Plan:
    """Putting the offer on chain."""
    sender = session.address()
    token = session.ledger.token(offer.terms.token)
    to = "anybody" if offer.terms.licensee == ZERO_ADDRESS else checksum_address(offer.terms.licensee)
    fee = shown_amount(token, offer.terms.upfront_fee)
    what = (
        f"a licence of catalogue {offer.terms.catalogue} for {fee}, until {format_time(offer.what.deadline)}"
    )
    effect = Effect(checksum_address(sender), "offers", what, f"to {to}")
    return Plan(sender, [effect], [session.ledger.licences.offer(offer.terms.encode(), offer.what)])


def plan_withdraw(session: Session, offer: LicenceOffer) -> Plan:
    """Making an offer unacceptable for ever, whether it was signed or stands on chain. Raises LedgerError."""
    sender = session.address()
    owner = session.ledger.catalogues.view("ownerOf", offer.terms.catalogue)
    if owner != sender:
        raise LedgerError(
            f"Only the licensor, {checksum_address(owner)}, may withdraw the offer.",
            remedy="Give the licensor's account: --from NAME.",
        )
    contract = session.ledger.licences
    if offer.chain_id != session.rpc.chain_id or offer.licences != contract.address:
        raise LedgerError(
            f"The offer is for chain {offer.chain_id} and the contract {checksum_address(offer.licences)}; "
            f"this is chain {session.rpc.chain_id}.",
            remedy="Connect to a node of the offer's chain: --rpc URL.",
        )
    if contract.view("nonceUsed", owner, offer.what.nonce):
        raise LedgerError(
            "The offer was accepted or withdrawn before.",
            remedy="See the licences: `licence-ledger licence list`.",
        )
    request = contract.request("cancelNonce", offer.what.nonce, note="withdraw an offer")
    what = f"its offer 0x{offer.id.hex()[:10]}… of catalogue {offer.terms.catalogue}"
    return Plan(
        sender, [Effect(checksum_address(sender), "withdraws", what, "nobody can accept it")], [request]
    )


# ---- accepting


def read_offer(content: bytes, where: str) -> LicenceOffer:
    """An offer file. Raises LedgerError where document, terms and signature do not belong together."""
    try:
        held = json.loads(content)
        if held["offer"] != OFFER_VERSION:
            raise ValueError(f"it is of version {held['offer']!r}")
        what = Offer(int(held["nonce"]), int(held["deadline"]), str(held["uri"]))
        terms = ChainTerms.decode(bytes.fromhex(held["terms"][2:]))
        signature = bytes.fromhex(held["signature"][2:])
        chain_id, address = int(held["chain_id"]), str(held["licences"]).lower()
        document = parse_terms(json.dumps(held["document"])) if held["document"] is not None else None
    except LedgerError as error:
        error.where = where
        raise
    except (ValueError, KeyError, TypeError) as error:
        raise LedgerError(
            "This is no offer file.",
            where,
            str(error) or type(error).__name__,
            "Ask the licensor for it again.",
        ) from error
    if document is not None:
        same_terms(document, terms, where)
    return LicenceOffer(terms, what, signature, document, chain_id, address)


def same_terms(document: TermsDocument, terms: ChainTerms, where: str) -> None:
    """Refuses an offer whose figures are not those of its document."""
    told = document.chain_terms()
    differing = [name for name in ChainTerms.__slots__ if getattr(told, name) != getattr(terms, name)]
    if differing:
        raise LedgerError(
            f"The offer's figures are not those of its terms document: {', '.join(differing)}.",
            where,
            "What would be enforced is not what the document says.",
            "Do not accept it. Ask the licensor for a correct one.",
        )


def offer_on_chain(session: Session, identifier: bytes, document: TermsDocument | None) -> LicenceOffer:
    """An offer that stands on chain, by its id. Raises LedgerError."""
    shape = event_shapes("Licences")["Offered"]
    reader, contract = session.reader, session.ledger.licences
    topics = ["0x" + shape.topic.hex(), "0x" + identifier.hex()]
    first = book_of_deployments(session).first_block()
    logs = list(reader.logs([contract.address], first, reader.head(), topics=topics))
    if not logs:
        raise LedgerError(f"No offer 0x{identifier.hex()} stands on chain {session.rpc.chain_id}.")
    entry = decode_entry("Licences", logs[-1].raw())
    terms = ChainTerms.decode(entry["terms"])
    document = document or licences.document_of(session, terms)
    if document is not None:
        same_terms(document, terms, "the terms document")
    what = Offer(entry["nonce"], entry["deadline"], entry["uri"])
    offer = LicenceOffer(terms, what, b"", document, session.rpc.chain_id, contract.address)
    if offer.id != identifier:
        raise LedgerError("The node tells another offer than the one asked for.", session.rpc.shown)
    return offer


def accepted_before(session: Session, offer: LicenceOffer, sender: str) -> int:
    """The number of the licence that the sender got by this offer already; 0 where it did not."""
    owner = session.ledger.catalogues.view("ownerOf", offer.terms.catalogue)
    if not session.ledger.licences.view("nonceUsed", owner, offer.what.nonce):
        return 0
    for one in licences.read_all(session):
        if one.offer_id == offer.id and one.holder == sender:
            return one.number
    return 0


def plan_accept(session: Session, offer: LicenceOffer) -> Plan:
    """What accepting would do: the fee by allowance, since a permit needs the key. Raises LedgerError."""
    sender, terms, ledger = session.address(), offer.terms, session.ledger
    _check_acceptable(session, offer, sender)
    token = ledger.token(terms.token)
    held = token.balance(sender)
    if held < terms.upfront_fee:
        raise LedgerError(
            f"{checksum_address(sender)} holds {shown_amount(token, held)}; "
            f"the upfront fee is {shown_amount(token, terms.upfront_fee)}.",
            f"chain {session.rpc.chain_id}",
            remedy="Fund it (on a test chain: `licence-ledger token mint`), then run the same command again.",
            exit_code=ExitCode.INCOMPLETE,
        )
    who = checksum_address(sender)
    _, split_id = ledger.catalogues.view("ownerAndSplit", terms.catalogue)
    effects = []
    if terms.upfront_fee:
        fee = shown_amount(token, terms.upfront_fee)
        effects.append(Effect(who, "pays", fee, f"to the payees of split 0x{split_id.hex()[:10]}…"))
    effects.append(Effect(who, "gets", f"a licence of catalogue {terms.catalogue}", "by these terms"))
    requests = _allowance(session, token, sender, terms.upfront_fee)
    return Plan(sender, effects, [*requests, _accept_request(session, offer, NO_PERMIT)])


def _check_acceptable(session: Session, offer: LicenceOffer, sender: str) -> None:
    contract = session.ledger.licences
    if offer.chain_id != session.rpc.chain_id or offer.licences != contract.address:
        raise LedgerError(
            f"The offer is for chain {offer.chain_id} and the contract {checksum_address(offer.licences)}; "
            f"this is chain {session.rpc.chain_id}.",
            remedy="Connect to a node of the offer's chain: --rpc URL.",
        )
    if session.now() > offer.what.deadline:
        raise LedgerError(
            f"The offer could be accepted until {format_time(offer.what.deadline)}.",
            remedy="Ask the licensor for a new one.",
        )
    if offer.terms.licensee not in (ZERO_ADDRESS, sender):
        raise LedgerError(
            f"The offer is for {checksum_address(offer.terms.licensee)}, not for {checksum_address(sender)}.",
            remedy="Give the account that it is for: --from NAME.",
        )
    owner = session.ledger.catalogues.view("ownerOf", offer.terms.catalogue)
    if contract.view("nonceUsed", owner, offer.what.nonce):
        raise LedgerError(
            "The offer was accepted by somebody else, or the licensor withdrew it.",
            remedy="Ask the licensor for a new one.",
        )


def _allowance(session: Session, token: Token, owner: str, units: int) -> list[Request]:
    return needs_allowance(token, owner, session.ledger.licences.address, units) if units else []


def _accept_request(session: Session, offer: LicenceOffer, permit: Permit) -> Request:
    return session.ledger.licences.accept(
        offer.terms.encode(), offer.what, signature=offer.signature, permit=permit
    )


def accept(session: Session, sender: Sender, offer: LicenceOffer) -> tuple[int, list[Outcome]]:
    """Accepts: by permit where the token takes one, else by allowance. Returns the licence's number."""
    terms = offer.terms
    token = session.ledger.token(terms.token)
    spender = session.ledger.licences.address
    requests = [*_allowance(session, token, sender.address, terms.upfront_fee)]
    if requests and token.has_permit():
        permit = token.sign_permit(sender.signer, spender, terms.upfront_fee, offer.what.deadline)
        permitted = _accept_request(session, offer, permit)
        # A token's permit may be of another kind; then the allowance does it.
        if all(trial.error is None for trial in sender.simulate([permitted])):
            outcomes = send_all(sender, [permitted])
            return session.ledger.licences.accepted(outcomes[-1].logs), outcomes
    outcomes = send_all(sender, [*requests, _accept_request(session, offer, NO_PERMIT)])
    return session.ledger.licences.accepted(outcomes[-1].logs), outcomes
