"""What `licence-ledger licence` shows: terms in plain words, offers, how a licence stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ledger.cli.context import command, current, write_new
from ledger.domain.address import checksum_address
from ledger.domain.text import clean

if TYPE_CHECKING:
    from ledger.domain.chain_terms import ChainTerms
    from ledger.domain.exports.subject import Export
    from ledger.domain.terms import TermsDocument
    from ledger.operations.licences import Licence
    from ledger.operations.offers import LicenceOffer
    from ledger.operations.session import Session
    from ledger.operations.terms_diff import Side


def show_terms(terms: ChainTerms, document: TermsDocument | None, *, talk: bool = False) -> None:
    """Prints terms in plain words, as data or as talk."""
    from ledger.operations.terms_words import in_words

    out, session = current().out, current().session
    lines = in_words(terms, session.ledger.token(terms.token), document)
    if not talk:
        out.fields(lines)
        return
    width = max(len(name) for name, _ in lines)
    for name, text in lines:
        out.say(f"{name:<{width}}  {clean(text)}")


def terms_data(session: Session, terms: ChainTerms, document: TermsDocument | None) -> dict[str, Any]:
    """Terms for `--json`: in words, the hash, and the document where it is known."""
    from ledger.domain.terms import commercial_model
    from ledger.operations.terms_words import in_words

    words = in_words(terms, session.ledger.token(terms.token), document)
    return {
        "model": commercial_model(terms),
        "words": [{"name": name, "text": text} for name, text in words],
        "terms_hash": terms.hash,
        "document_hash": terms.document,
        "document": document.model_dump(mode="json") if document else None,
    }


def offer_data(session: Session, offer: LicenceOffer) -> dict[str, Any]:
    """An offer for `--json`."""
    return {
        "offer": offer.id,
        "chain_id": offer.chain_id,
        "nonce": str(offer.what.nonce),
        "deadline": offer.what.deadline,
        "uri": offer.what.uri,
        **terms_data(session, offer.terms, offer.document),
    }


def licence_data(session: Session, licence: Licence) -> dict[str, Any]:
    """A licence for `--json`."""
    from ledger.operations.licences import document_of
    from ledger.operations.plan import money

    state, token = licence.state, session.ledger.token(licence.terms.token)
    return {
        "licence": licence.number,
        "catalogue": licence.terms.catalogue,
        "licensor": checksum_address(licence.licensor),
        "licensee": checksum_address(licence.holder),
        "standing": licence.standing(session.now()),
        "accepted_at": state.acceptedAt,
        "fee": money(token, licence.fee),
        "next_period": state.nextPeriod,
        "open_periods": state.openPeriods,
        "open_disputes": state.openDisputes,
        "set_off": money(token, state.setOff),
        "cure_until": state.cureUntil or None,
        **terms_data(session, licence.terms, document_of(session, licence.terms)),
    }


def show_licence(licence: Licence) -> None:
    """Ends `licence show`."""
    from ledger.domain.terms_fields import format_time
    from ledger.operations.licences import document_of

    session, out = current().session, current().out
    document = document_of(session, licence.terms)
    data = licence_data(session, licence)

    def show() -> None:
        out.fields(
            [
                ("licence", licence.number),
                ("standing", data["standing"]),
                ("licensor", data["licensor"]),
                ("licensee", data["licensee"]),
                ("accepted", format_time(licence.state.acceptedAt)),
            ]
        )
        out.line()
        show_terms(licence.terms, document)
        if document is None:
            out.say("The terms document is not in the store: only what the chain enforces is shown.")
        if licence.terms.period_months:
            out.line()
            out.fields(
                [
                    ("periods booked", licence.state.nextPeriod),
                    ("periods open", licence.state.openPeriods),
                    ("disputes open", licence.state.openDisputes),
                    ("set-off", data["set_off"]["shown"]),
                ]
            )

    out.result(data, show, after=[command("report", "due", licence.number), command("agenda")])


def show_export(made: Export, uid: str, path: Path | None) -> None:
    """Ends `licence export`: the file on stdout or at `path`, what it cannot say on stderr."""
    out = current().out
    if path is not None:
        write_new(path, made.text.encode())
    data = {
        "format": made.format,
        "media_type": made.media_type,
        "uid": uid,
        "file": str(path) if path else None,
        "text": made.text,
        "content": made.data,
        "cannot_say": [one.as_dict() for one in made.unsaid],
    }

    def show() -> None:
        if path is not None:
            out.fields([("file", path), ("media type", made.media_type)])
        else:
            for line in made.text.splitlines():
                out.line(line)
        out.say(f"What {made.format.upper()} cannot say, and the terms do:")
        for one in made.unsaid:
            out.say(f"  {one}")

    out.result(data, show)


def show_diff(a: Side, b: Side) -> None:
    """Ends `licence diff`: every point in words, differing ones marked, then the fields that differ."""
    from ledger.operations.terms_diff import differing_fields, side_by_side

    out = current().out
    rows, exact = side_by_side(a, b), differing_fields(a, b)
    data = {
        "a": a.name,
        "b": b.name,
        "same": not exact,
        "words": [one.as_dict() for one in rows],
        "fields": [{"path": one.name, "a": one.a, "b": one.b} for one in exact],
    }

    def show() -> None:
        cells = [("" if one.same else "*", one.name, one.a or "-", one.b or "-") for one in rows]
        out.table(("", "", a.name, b.name), cells)
        if exact:
            out.table(
                ("field", a.name, b.name),
                [(one.name, one.a or "-", one.b or "-") for one in exact],
                title="What differs, field by field",
            )
        else:
            out.line("The terms are the same.")

    out.result(data, show)
