"""licence-ledger licence: what is granted, to whom, for what."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.context import command, current, noun, read_bytes, write_new
from ledger.cli.licence_views import (
    licence_data,
    offer_data,
    show_diff,
    show_export,
    show_licence,
    show_terms,
)
from ledger.cli.output import date
from ledger.domain.address import checksum_address, parse_word
from ledger.domain.errors import LedgerError

if TYPE_CHECKING:
    from ledger.domain.terms import TermsDocument
    from ledger.operations.offers import LicenceOffer
    from ledger.operations.terms_diff import Side

app = noun("licence")
Number = Annotated[int, typer.Argument(min=1, help="Number of the licence.")]

_PUBLIC = "On a public chain the terms, the rates and every gross revenue reported are public for ever."


@app.command()
def offer(
    terms: Annotated[str, typer.Argument(help="Terms document of YAML or JSON; - for standard input.")],
    on_chain: Annotated[
        bool, typer.Option("--on-chain", help="Put the offer on chain instead of signing it.")
    ] = False,
    valid_days: Annotated[int, typer.Option(min=1, max=3650, help="Days in which it can be accepted.")] = 14,
    uri: Annotated[str, typer.Option(help="Where the terms document will lie for others.")] = "",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Where the offer file goes; default: offer-ID.json here.")
    ] = None,
) -> None:
    """Checks the terms against the chain and signs an offer into a file that is handed to the licensee."""
    from ledger.operations import offers
    from ledger.operations.plan import sent
    from ledger.operations.session import send_all

    context = current()
    session = context.session
    document = offers.read_document(read_bytes(terms), terms)
    made = offers.make_offer(session, document, valid_days=valid_days, uri=uri, where=terms)
    context.say_once("public-terms", _PUBLIC)
    if on_chain:
        plan = offers.plan_offer(session, made)
        if not context.may_send(plan):
            return
        with context.sender() as sender:
            outcomes = send_all(sender, plan.requests)
        session.files.put(document.canonical())
        data = offer_data(session, made) | {"sent": True, "file": None, "transactions": sent(outcomes)}
        after = [command("licence", "accept", "0x" + made.id.hex(), "--from", "LICENSEE")]
        context.out.result(data, lambda: _tell_offer(made, None), after=after)
        return
    signed = offers.sign(made, session.signer())
    session.files.put(document.canonical())
    path = out_file or Path(f"offer-{signed.id.hex()[:12]}.json")
    write_new(path, signed.to_json())
    data = offer_data(session, signed) | {"sent": False, "file": str(path), "transactions": []}
    after = [command("licence", "accept", path, "--from", "LICENSEE")]
    context.out.result(data, lambda: _tell_offer(signed, path), after=after)


def _tell_offer(made: LicenceOffer, path: Path | None) -> None:
    out = current().out
    show_terms(made.terms, made.document)
    out.fields(
        [
            ("offer", "0x" + made.id.hex()),
            ("until", date(made.what.deadline)),
            ("file", path) if path else ("stands", f"on chain {made.chain_id}"),
        ]
    )
    if path:
        out.say("Whoever gets the file may accept the offer; hand it to the licensee only.")


@app.command()
def accept(
    offer: Annotated[str, typer.Argument(help="Offer file, or 0x… for an offer that stands on chain.")],
    terms: Annotated[
        str,
        typer.Option(
            "--terms", help="Terms document, where the offer stands on chain and the store lacks it."
        ),
    ] = "",
) -> None:
    """Accepts an offer: shows the terms, pays the upfront fee (by permit where the token takes one)."""
    from ledger.operations import licences, offers
    from ledger.operations.plan import sent

    context = current()
    session, out = context.session, context.out
    found = _find_offer(offer, terms)
    if found.document is None:
        raise LedgerError(
            "The offer's terms document is not in the store, so nobody can say what is being accepted.",
            "0x" + found.terms.document.hex(),
            remedy="Ask the licensor for it and give it: --terms FILE.",
        )
    number = offers.accepted_before(session, found, session.address())
    outcomes: list[Any] = []
    if not number:
        plan = offers.plan_accept(session, found)
        if not out.as_json:
            show_terms(found.terms, found.document, talk=True)
        if not context.may_send(plan):
            return
        with context.sender() as sender:
            sender.settle()
            number, outcomes = offers.accept(session, sender, found)
    session.files.put(found.document.canonical())
    held = licences.read(session, number)
    data = licence_data(session, held) | {"sent": bool(outcomes), "transactions": sent(outcomes)}
    after = [command("licence", "show", number), command("report", "due", number)]
    out.result(data, lambda: _tell_accepted(number, held.holder, bool(outcomes)), after=after)


def _tell_accepted(number: int, holder: str, now: bool) -> None:
    pairs = [("licence", number), ("licensee", checksum_address(holder))]
    current().out.fields(pairs if now else [*pairs, ("", "accepted by an earlier run")])


def _find_offer(offer: str, terms: str) -> LicenceOffer:
    from ledger.operations import offers

    document: TermsDocument | None = offers.read_document(read_bytes(terms), terms) if terms else None
    if offer.startswith("0x"):
        return offers.offer_on_chain(current().session, parse_word(offer), document)
    return offers.read_offer(read_bytes(offer), offer)


@app.command()
def withdraw(
    offer: Annotated[str, typer.Argument(help="Offer file, or 0x… for an offer that stands on chain.")],
) -> None:
    """Withdraws an offer that nobody has accepted; a signed file that is out of your hands, too."""
    from ledger.operations import offers
    from ledger.operations.plan import sent
    from ledger.operations.session import send_all

    context = current()
    found = _find_offer(offer, "")
    plan = offers.plan_withdraw(context.session, found)
    if not context.may_send(plan):
        return
    with context.sender() as sender:
        outcomes = send_all(sender, plan.requests)
    data = {"sent": True, "offer": found.id, "transactions": sent(outcomes)}
    text = f"Offer 0x{found.id.hex()} is withdrawn; nobody can accept it."
    context.out.result(data, lambda: context.out.line(text), after=[command("licence", "list")])


@app.command()
def show(number: Number) -> None:
    """Shows a licence: its terms in plain words, how it stands, what is open."""
    from ledger.operations import licences

    show_licence(licences.read(current().session, number))


@app.command("list")
def list_(
    catalogue: Annotated[int | None, typer.Option(min=1, help="Only licences of this catalogue.")] = None,
) -> None:
    """Lists the licences: model, licensee, term, how each stands."""
    from ledger.domain.terms import commercial_model
    from ledger.operations import licences

    context = current()
    session, out = context.session, context.out
    now = session.now()
    found = [one for one in licences.read_all(session) if catalogue in (None, one.terms.catalogue)]
    rows = [
        {
            "licence": one.number,
            "catalogue": one.terms.catalogue,
            "model": commercial_model(one.terms),
            "licensee": checksum_address(one.holder),
            "start": one.terms.start,
            "end": one.terms.end or None,
            "standing": one.standing(now),
        }
        for one in found
    ]

    def show_() -> None:
        out.table(
            (">no.", ">catalogue", "model", "licensee", "from", "standing"),
            [
                (
                    one["licence"],
                    one["catalogue"],
                    one["model"],
                    one["licensee"],
                    date(held.terms.start),
                    one["standing"],
                )
                for one, held in zip(rows, found, strict=True)
            ],
        )

    after = [command("licence", "show", found[0].number if found else "NUMBER")]
    out.result({"licences": rows}, show_, after=after)


@app.command()
def export(
    what: Annotated[
        str, typer.Argument(help="Number of a licence, or a terms document; - for standard input.")
    ],
    format_: Annotated[str, typer.Option("--format", help="rsl, odrl, cawg or json.")],
    terms: Annotated[
        str, typer.Option("--terms", help="Terms document of the licence, where the store lacks it.")
    ] = "",
    content_url: Annotated[
        str, typer.Option(help="URL or path at which the works lie, for RSL; default: /catalogues/NUMBER/.")
    ] = "",
    terms_url: Annotated[
        str, typer.Option(help="URL or path at which the terms document can be read, for RSL.")
    ] = "",
    currency: Annotated[
        str, typer.Option(help="ISO 4217 code that the token stands for, for amounts in RSL: USD.")
    ] = "",
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Where it goes; default: what is printed.")
    ] = None,
) -> None:
    """Writes licence terms in a standard, RSL 1.0, ODRL 2.2 or CAWG, and tells what the standard cannot say."""
    from ledger.operations import exports, offers

    context = current()
    places = exports.Places(content_url, terms_url, currency)
    given = offers.read_document(read_bytes(terms), terms) if terms else None
    if what.isascii() and what.isdigit():
        subject = exports.of_licence(context.session, int(what), given, places)
    elif given is not None:
        raise LedgerError(
            "--terms goes with the number of a licence.", remedy="Give the terms document alone."
        )
    else:
        document = offers.read_document(read_bytes(what), what)
        subject = exports.of_document(document, places, context.options.chain_id)
    show_export(exports.export(subject, format_), subject.uid, out_file)


@app.command()
def diff(
    a: Annotated[str, typer.Argument(help="Number of a licence, or a terms document.")],
    b: Annotated[str, typer.Argument(help="The same, for the other side.")],
) -> None:
    """Shows two licence terms side by side in plain words, and every field that differs."""
    show_diff(_side(a), _side(b))


def _side(what: str) -> Side:
    from ledger.operations import licences, offers
    from ledger.operations.terms_diff import Side

    if what.isascii() and what.isdigit():
        session = current().session
        held = licences.read(session, int(what))
        document = licences.document_of(session, held.terms)
        return Side(f"licence {what}", held.terms, session.ledger.token(held.terms.token), document)
    document = offers.read_document(read_bytes(what), what)
    return Side(what, document.chain_terms(), document.money, document)


@app.command()
def terminate(number: Number) -> None:
    """Ends a licence in breach: first by giving notice, then, once the time to cure has passed, by
    termination.
    """
    from ledger.operations import licences
    from ledger.operations.plan import sent
    from ledger.operations.session import send_all

    context = current()
    session, out = context.session, context.out
    step = licences.next_step(session, licences.read(session, number))
    if not context.may_send(step.plan):
        return
    with context.sender() as sender:
        outcomes = send_all(sender, step.plan.requests)
    until = licences.read(session, number).state.cureUntil
    data = {
        "sent": True,
        "licence": number,
        "step": "terminated" if step.act == "terminate" else "notice",
        "period": step.period,
        "cure_until": until or None,
        "transactions": sent(outcomes),
    }

    def tell() -> None:
        if step.act == "terminate":
            out.line(f"Licence {number} is terminated. What is owed is owed still.")
        else:
            out.line(f"Notice is given for period {step.period} of licence {number}.")
            out.line(f"If it is not mended by {date(until)}, the licence can be terminated then.")

    after = [command("licence", "terminate", number)] if until else [command("licence", "show", number)]
    out.result(data, tell, after=after)


@app.command()
def expire(number: Number) -> None:
    """Records that a licence's term is over, which frees its scope for others. Anyone may."""
    from ledger.operations import licences
    from ledger.operations.plan import sent
    from ledger.operations.session import send_all

    context = current()
    session, out = context.session, context.out
    plan = licences.plan_expire(session, licences.read(session, number))
    if not context.may_send(plan):
        return
    with context.sender() as sender:
        outcomes = send_all(sender, plan.requests)
    data = {"sent": True, "licence": number, "transactions": sent(outcomes)}
    text = f"The end of licence {number} is recorded; its scope is free. What is owed is owed still."
    out.result(data, lambda: out.line(text), after=[command("licence", "show", number)])
