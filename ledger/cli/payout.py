"""licence-ledger payout: money to the rights holders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.context import command, current, noun, read_bytes, write_new
from ledger.cli.output import date
from ledger.domain.address import checksum_address
from ledger.domain.errors import ExitCode, LedgerError, ValueRefused

if TYPE_CHECKING:
    from ledger.operations.books import Books
    from ledger.operations.claims import ClaimPlan
    from ledger.operations.payouts import Owed, PaidOut, SplitSum
    from ledger.operations.plan import Plan

app = noun("payout")
LicenceOption = Annotated[int | None, typer.Option("--licence", min=1, help="Only splits of this licence.")]
CatalogueOption = Annotated[
    int | None, typer.Option("--catalogue", min=1, help="Only splits of this catalogue and its licences.")
]


@app.command()
def preview(
    licence: LicenceOption = None,
    catalogue: CatalogueOption = None,
    payee: Annotated[str, typer.Option(help="Only what this address or account would get.")] = "",
) -> None:
    """Shows who would get what, and who was passed over. Nothing is sent."""
    from ledger.operations import books, payouts
    from ledger.operations.plan import money
    from ledger.operations.splits import sized

    context = current()
    session, out = context.session, context.out
    read = books.read(session)
    who = session.address(payee) if payee else None
    sums = _sums(read, licence, catalogue, who)
    token = session.ledger.token
    data: dict[str, Any] = {
        "payees": [
            {"payee": checksum_address(payee), "owed": money(token(address), units)}
            for payee, address, units in payouts.preview(read, sums)
        ],
        "splits": [
            {
                "split": one.split_id,
                "credited": money(token(one.token), one.credited),
                "paid": money(token(one.token), one.paid),
                "owed": money(token(one.token), one.owed_in_all),
                "waiting": [_owed_data(item) for item in one.owed if item.how != payouts.BY_PAGE],
            }
            for one in sums
        ],
    }

    def show() -> None:
        rows = [(one["payee"], one["owed"]["shown"]) for one in data["payees"]]
        if not data["splits"]:
            out.line("Nothing was ever credited here, so nobody is owed anything.")
            return
        out.table(("payee", ">would get"), rows, title=f"{sized(len(rows), 'payee')} with something owed")
        out.table(
            ("split", ">credited", ">paid", ">owed"),
            [
                ("0x" + one["split"].hex(), *(one[name]["shown"] for name in ("credited", "paid", "owed")))
                for one in data["splits"]
            ],
        )
        for one in (item for held in sums for item in held.owed if item.how != payouts.BY_PAGE):
            out.line(f"{checksum_address(one.payee)} is not paid by its page: {one.how}")

    after = [command("payout", "run", *_where(licence, catalogue))]
    out.result(data, show, after=after)


@app.command()
def run(
    licence: LicenceOption = None,
    catalogue: CatalogueOption = None,
    retry: Annotated[
        str, typer.Option(help="Try payees again that were passed over: an address, or all.")
    ] = "",
) -> None:
    """Pays every payee of the splits by pages. Anyone may. Whoever cannot be paid is passed over and keeps all."""
    from ledger.operations import books, payouts
    from ledger.operations.plan import money, sent
    from ledger.operations.splits import sized

    context = current()
    session, out = context.session, context.out
    again = None if retry == "all" else {session.address(retry)} if retry else set()
    read = books.read(session)
    plan = payouts.plan_payout(
        session, read, _sums(read, licence, catalogue, None), sender=session.address(), retry=again
    )
    token = session.ledger.token
    left_out = [_owed_data(one) | {"owed": money(token(one.token), one.amount)} for one in plan.left_out]
    if plan.plan.requests and not context.may_send(plan.plan):
        return
    done = payouts.PaidOut()
    if plan.plan.requests:
        with context.sender() as sender:
            if sender.under_way():
                sender.settle()
                read = books.read(session)
                sums = _sums(read, licence, catalogue, None)
                plan = payouts.plan_payout(session, read, sums, sender=sender.address, retry=again)
            with out.progress("paying", plan.payees) as step:
                done = payouts.pay_out(session, sender, read, plan, step)
    data: dict[str, Any] = {
        "sent": bool(done.outcomes),
        "paid": [money(token(address), units) for address, units in done.paid.items()],
        "payees": done.payees,
        "passed_over": [
            _owed_data(one.owed) | {"owed": money(token(one.owed.token), one.owed.amount), "why": one.why}
            for one in done.passed_over
        ],
        "left_out": left_out,
        "transactions": sent(done.outcomes),
    }

    def show() -> None:
        for one in data["paid"]:
            out.line(f"paid {one['shown']}")
        out.line(
            f"to {sized(done.payees, 'leaf', 'leaves')} of {sized(len(plan.sums), 'split')}"
            if done.payees
            else "Nobody was paid."
        )
        for one in data["passed_over"]:
            out.line(f"passed over: {one['payee']}, {one['owed']['shown']}: {one['why'] or 'no reason told'}")
        for one in left_out:
            out.line(f"left out: {one['payee']}, {one['owed']['shown']}: {one['how']}")
        if not plan.plan.requests and not left_out:
            out.line("Nothing is owed.")

    after = [command("verify"), command("payout", "preview", *_where(licence, catalogue))]
    if done.passed_over or any(one.how == payouts.WAITS for one in plan.left_out):
        after.insert(0, command("payout", "run", *_where(licence, catalogue), "--retry", "all"))
    if done.refused and not done.payees:
        raise _nobody_paid(done)
    out.result(data, show, after=after)


@app.command()
def claim(
    payee: Annotated[str, typer.Argument(help="Address or account of the payee; default: the sender.")] = "",
    to: Annotated[str, typer.Option(help="Another address that gets it; only the payee may say so.")] = "",
    sign: Annotated[
        Path | None,
        typer.Option("--sign", help="Sign the claim into a file that anybody may send. Needs --to."),
    ] = None,
    valid_days: Annotated[
        int, typer.Option(min=1, max=365, help="Days in which a signed claim counts.")
    ] = 14,
    signed: Annotated[str, typer.Option("--signed", help="Send a signed claim out of this file.")] = "",
) -> None:
    """Claims all that a payee is owed, in all splits at once: to itself by anyone, or where the payee says."""
    from ledger.domain.address import parse_address
    from ledger.operations import books, claims

    session = current().session
    read = books.read(session)
    receiver = parse_address(to) if to.startswith("0x") else session.address(to) if to else ""
    if signed:
        if to or sign or payee:
            raise ValueRefused(
                "A signed claim says itself who is paid and where.", remedy="Give --signed alone."
            )
        held = claims.read_signed(read_bytes(signed), signed)
        _send_claim(claims.plan_signed(session, read, held, sender=session.address()))
        return
    if sign is not None:
        _sign(read, receiver, sign, valid_days)
        return
    who = session.address(payee)
    _send_claim(claims.plan_claim(session, read, who, sender=session.address(), to=receiver))


@app.command()
def standing(
    to: Annotated[str, typer.Argument(help="Address or account that gets what anybody claims for you.")] = "",
    clear: Annotated[bool, typer.Option("--clear", help="Let claims come to yourself again.")] = False,
) -> None:
    """Names the address to which claims by anyone go. Pages pay you as before, unless you take your leaves out."""
    from ledger.domain.address import parse_address
    from ledger.operations import books, payee_orders

    session = current().session
    if bool(to) == clear:
        raise ValueRefused("An address is needed, or --clear, and not both.", remedy="Give TO or --clear.")
    receiver = "" if clear else parse_address(to) if to.startswith("0x") else session.address(to)
    plan = payee_orders.plan_standing(session, books.read(session), receiver)
    shown = checksum_address(receiver) if receiver else None
    text = f"Claims for it by anyone go to {shown}." if shown else "Claims for it by anyone come to itself."
    _order(plan, {"standing": shown}, text)


@app.command()
def place(
    out: Annotated[
        bool, typer.Option("--out/--back", help="Out of the pages, or back into them.", show_default=False)
    ],
) -> None:
    """Takes all your leaves out of their pages, so that only claims pay them, or puts them back.

    What a split or token is credited for the first time later, is paid by its page again.
    """
    from ledger.operations import books, payee_orders
    from ledger.operations.splits import sized

    session = current().session
    done = payee_orders.plan_placing(session, books.read(session), out=out)
    where = "out of their pages: claims pay them" if out else "back in their pages"
    leaves = sized(done.leaves, "leaf is", "leaves are")
    _order(done.plan, {"leaves": done.leaves, "out": out}, f"{leaves} {where}.")


@app.command()
def void() -> None:
    """Makes void every claim that you have signed and nobody has sent yet."""
    from ledger.operations import books, payee_orders

    session = current().session
    plan = payee_orders.plan_void(session, books.read(session))
    _order(plan, {}, "No claim signed so far can be sent any more.")


def _order(plan: Plan, told: dict[str, Any], text: str) -> None:
    from ledger.operations.plan import sent
    from ledger.operations.session import send_all

    context = current()
    if not context.may_send(plan):
        return
    with context.sender() as sender:
        outcomes = send_all(sender, plan.requests)
    payee = checksum_address(plan.sender)
    data = {"sent": True, "payee": payee, **told, "transactions": sent(outcomes)}

    def show() -> None:
        context.out.fields([("payee", payee)])
        context.out.line(text)

    context.out.result(data, show, after=[command("balance", payee)])


def _sign(read: Books, to: str, path: Path, days: int) -> None:
    from ledger.operations import claims

    context = current()
    session, out = context.session, context.out
    if not to:
        raise ValueRefused(
            "A signed claim needs the address that gets the money.", remedy="Give --to ADDRESS."
        )
    made = claims.sign_claim(session, read, session.signer(), to, session.now() + days * 86_400)
    write_new(path, made.to_json())
    data = {
        "sent": False,
        "file": str(path),
        "payee": checksum_address(made.payee),
        "to": checksum_address(made.to),
        "deadline": made.deadline,
        "leaves": len(made.leaves),
    }
    pairs = [(name, data[name]) for name in ("payee", "to", "leaves", "file")]
    pairs.append(("until", date(made.deadline)))
    out.result(data, lambda: out.fields(pairs), after=[command("payout", "claim", "--signed", path)])


def _send_claim(plan: ClaimPlan) -> None:
    from ledger.operations.plan import money, sent
    from ledger.operations.session import send_all

    context = current()
    session, out = context.session, context.out
    if not context.may_send(plan.plan):
        return
    with context.sender() as sender:
        outcomes = send_all(sender, plan.plan.requests)
    paid = [money(session.ledger.token(token), units) for token, units in plan.pays.items()]
    data = {
        "sent": True,
        "payee": checksum_address(plan.payee),
        "to": checksum_address(plan.to),
        "paid": paid,
        "leaves": len(plan.owed),
        "transactions": sent(outcomes),
    }

    def show() -> None:
        out.fields(
            [
                ("payee", data["payee"]),
                ("paid to", data["to"]),
                *(("paid", one["shown"]) for one in paid),
                ("leaves", len(plan.owed)),
            ]
        )

    out.result(data, show, after=[command("balance", data["payee"])])


def _nobody_paid(done: PaidOut) -> LedgerError:
    reasons = sorted({one.why for one in done.passed_over if one.why})
    error = done.refused[0].error
    return LedgerError(
        "Nobody could be paid: the token refused every transfer.",
        why=" ".join(reasons) or (error.what if error else ""),
        remedy="Nothing is lost: what is owed stays owed. Run it again once the token moves for them.",
        exit_code=ExitCode.REVERTED,
    )


def _sums(read: Books, licence: int | None, catalogue: int | None, payee: str | None) -> list[SplitSum]:
    from ledger.operations import payouts

    if licence is not None and catalogue is not None:
        raise ValueRefused("Give a licence or a catalogue, not both.")
    splits = payouts.splits_of(read, licence=licence, catalogue=catalogue)
    return payouts.sums_of(read, splits, payee=payee)


def _owed_data(one: Owed) -> dict[str, Any]:
    return {"payee": checksum_address(one.payee), "split": one.split_id, "leaf": one.index, "how": one.how}


def _where(licence: int | None, catalogue: int | None) -> list[object]:
    if licence is not None:
        return ["--licence", licence]
    return ["--catalogue", catalogue] if catalogue is not None else []
