"""Usage-weighted periods on chain: what waits, what was posted and objected to, and the next step of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from ledger.chain.requests import Request
from ledger.domain.address import checksum_address
from ledger.domain.canonical import ZERO32, ZERO_ADDRESS
from ledger.domain.distribution_types import (
    CHOOSE_COUNTER,
    CHOOSE_FALLBACK,
    CHOOSE_POSTED,
    CLOSE,
    FALL_BACK,
    NO_DISTRIBUTION,
    OBJECTED,
    OPEN,
    RELEASE,
    SETTLE,
    Deadlines,
    Distribution,
    Objection,
    Outlook,
    Round,
    bond_of,
)
from ledger.domain.distribution_views import deadlines_of, outlook_of, standing_split
from ledger.domain.errors import ExitCode, LedgerError, ValueRefused
from ledger.domain.merkle_sum import MerkleSumTree, Split, read_leaf
from ledger.domain.terms_fields import format_time
from ledger.operations.books import Books, Event
from ledger.operations.payouts import tree_from
from ledger.operations.plan import Effect, Plan, shown_amount
from ledger.operations.session import Session
from ledger.operations.splits import short, sized
from ledger.operations.tokens import needs_allowance

#: What the arbiter may choose, by the words of the command line.
CHOICES = {"posted": CHOOSE_POSTED, "counter": CHOOSE_COUNTER, "fallback": CHOOSE_FALLBACK}


@dataclass(frozen=True)
class Standing:
    """A period's distribution as it stands. Amounts are base units of `token`, times Unix seconds.

    `rounds` are all that were ever posted, `settled` the distributions of those settled, in order; `posted` is the
    one under way. `waits` lie in the account, `moved` have gone to splits.
    """

    licence: int
    period: int
    token: str
    licensor: str
    licensee: str
    arbiter: str
    dates: Deadlines
    outlook: Outlook
    rounds: tuple[Round, ...]
    settled: tuple[Distribution, ...]
    posted: Distribution | None
    objection: Objection | None
    waits: int
    moved: int
    events: tuple[Event, ...] = field(repr=False, default=())

    @property
    def under_way(self) -> list[Distribution]:
        """The settled distributions and the posted one: what a step on the latter takes."""
        return [*self.settled, *([self.posted] if self.posted else [])]


@dataclass(frozen=True, slots=True)
class Files:
    """What a posting binds beside its split: hashes of usage file, works manifest and rule, and where they lie."""

    usage_hash: bytes = ZERO32
    manifest_root: bytes = ZERO32
    rule_hash: bytes = ZERO32
    uri: str = ""


def standing(session: Session, books: Books, licence: int, period: int) -> Standing:
    """How a period's distribution stands. Raises LedgerError for a licence that is not weighted, or no such period."""
    grant = books.licences.grants.get(licence)
    if grant is None:
        raise ValueRefused(f"There is no licence {licence}.", remedy="See `licence-ledger licence list`.")
    book, terms = books.distributions, grant.terms
    if terms.distributions != book.address:
        why = (
            "Its money goes to the catalogue's split."
            if terms.distributions == ZERO_ADDRESS
            else f"Its terms name another contract: {checksum_address(terms.distributions)}."
        )
        raise ValueRefused(f"Licence {licence} is not distributed by use.", why=why)
    outlook = outlook_of(book, licence, period, now=session.now())
    rounds = [book.round_of(licence, period, 0)]
    while rounds[-1].stage:
        rounds.append(book.round_of(licence, period, len(rounds)))
    held = rounds.pop()
    if held.stage:
        rounds.append(held)
    last = book.round_of(licence, period, outlook.round)
    settled = book.settled(licence, period)
    open_ = last.stage in (OPEN, OBJECTED)
    salt = books.licences.salt_of(licence, period)
    return Standing(
        licence,
        period,
        terms.token,
        books.catalogues.owner_of(terms.catalogue),
        books.licences.holders[licence],
        books.catalogues.rules_of(terms.catalogue)[0],
        deadlines_of(book, licence, period),
        outlook,
        tuple(rounds),
        tuple(settled),
        last.what if open_ else None,
        last.objection if last.stage == OBJECTED else None,
        books.splits.account_balance(_account(books, salt), terms.token),
        sum(one.moved_in_all for one in rounds),
        tuple(
            one
            for one in books.events
            if one.contract == "Distributions"
            and one.entry.number == licence
            and one.entry.args.get("period") == period
        ),
    )


def _account(books: Books, salt: bytes) -> bytes:
    from ledger.domain.split_types import account_id

    return account_id(books.distributions.address, salt)


# ---- posting


def plan_post(
    session: Session, books: Books, held: Standing, split: Split, amount: int, files: Files, *, sender: str
) -> Plan:
    """Posts a published split for the next round, or replaces the one posted before. Raises LedgerError."""
    role = _role(held, sender)
    if held.outlook.stage == OBJECTED:
        raise LedgerError(
            "What was posted is objected to, so it can no longer be replaced.",
            _where(held),
            remedy="Concede, or let the arbiter choose: `licence-ledger distribution settle`.",
        )
    if not books.splits.is_published(split.id):
        raise LedgerError(
            f"Split {short(split.id)} is not public yet.",
            "0x" + split.id.hex(),
            remedy="Publish it: `licence-ledger distribution publish FOLDER`.",
        )
    replacing = held.outlook.stage == OPEN
    posting = (
        (split.root, split.total, split.depth),
        amount,
        files.usage_hash,
        files.manifest_root,
        files.rule_hash,
        files.uri,
    )
    request = _request(
        session,
        books,
        held,
        "replace" if replacing else "post",
        held.settled,
        posting,
        note=f"post a distribution for period {held.period} of licence {held.licence}",
    )
    token = session.ledger.token(held.token)
    what = f"split {short(split.id)} for {_where(held)}, as {role}"
    rest = amount - split.total
    to = f"{shown_amount(token, split.total)} to payees"
    to += f", {shown_amount(token, rest)} held" if rest else ""
    return Plan(
        sender, [Effect(checksum_address(sender), "replaces" if replacing else "posts", what, to)], [request]
    )


def _role(held: Standing, sender: str) -> str:
    if sender == held.licensor:
        return "licensor"
    if sender == held.licensee:
        return "licensee"
    raise LedgerError(
        f"{checksum_address(sender)} is neither licensor nor licensee of licence {held.licence}.",
        why=f"The licensor is {checksum_address(held.licensor)}, the licensee {checksum_address(held.licensee)}.",
        remedy="Give the account of one of them: --from NAME.",
    )


# ---- objecting


def plan_object(
    session: Session, books: Books, held: Standing, counter: Split | None, *, sender: str
) -> tuple[Plan, int]:
    """Objects to what was posted, with a bond; the bond in base units. `counter` None: the fallback is asked for.

    Raises LedgerError where nothing is open to objections or the sender is no payee of either split.
    """
    if held.posted is None or held.outlook.stage != OPEN:
        raise LedgerError(
            "Nothing that was posted is open to objections.",
            _where(held),
            remedy=f"See: `licence-ledger distribution show {held.licence} {held.period}`.",
        )
    index, tree = _leaf_of(books, held, sender)
    bond = bond_of(held.posted.amount)
    leaf = (
        (tree.split.root, tree.split.total, tree.split.depth),
        held.token,
        index,
        tree.leaf(index),
        tree.leaf_proof(index),
    )
    wanted = (counter.root, counter.total, counter.depth) if counter else (ZERO32, 0, 0)
    request = _request(
        session,
        books,
        held,
        "object",
        held.under_way,
        (leaf, wanted, _last(books, held), bond),
        note=f"object to the distribution of {_where(held)}",
    )
    token = session.ledger.token(held.token)
    approvals = needs_allowance(token, sender, session.ledger.distributions.address, bond)
    asks = f"for split {short(counter.id)}" if counter else "for the fallback"
    effects = [
        Effect(checksum_address(sender), "objects to", f"split {short(held.posted.split_id)}", asks),
        Effect(
            checksum_address(sender),
            "gives as bond",
            shown_amount(token, bond),
            "back if upheld, lost if not",
        ),
    ]
    return Plan(sender, effects, [*approvals, request]), bond


def _leaf_of(books: Books, held: Standing, payee: str) -> tuple[int, MerkleSumTree]:
    """A leaf of the payee in the posted split, else in the standing one."""
    assert held.posted is not None
    for split_id in (held.posted.split_id, standing_split(books.distributions, held.licence, held.period)):
        try:
            tree = tree_from(books, split_id)
        except LedgerError:
            continue
        for index in range(tree.leaves):
            if read_leaf(tree.leaf(index))[0] == payee:
                return index, tree
    raise LedgerError(
        f"{checksum_address(payee)} is a payee neither of the posted split nor of the standing one.",
        _where(held),
        "Only who has a part in the money may object.",
        "Give a payee's account: --from NAME.",
    )


def _last(books: Books, held: Standing) -> Distribution:
    """The distribution that stood last, which the fallback looks at."""
    found, period = books.distributions.last_stood(held.licence, held.period)
    what = books.distributions.round_of(held.licence, period, 0).what if found else None
    return what or NO_DISTRIBUTION


# ---- settling


def plan_settle(
    session: Session, books: Books, held: Standing, *, sender: str, choice: str = "", concede: bool = False
) -> Plan:
    """The next step: what nobody objected to, the arbiter's choice, a concession, a fallback, a release, late money.

    Raises LedgerError where nothing can be done now; it says when.
    """
    step, rounds = held.outlook.step, held.under_way
    if choice or concede:
        if held.objection is None:
            raise LedgerError(
                "Nobody has objected, so there is nothing to choose.",
                _where(held),
                remedy="Leave --choose and --concede out.",
            )
        if concede:
            return _step(
                session,
                books,
                held,
                sender,
                "concede",
                rounds,
                held.objection,
                does="concedes to the objection",
            )
        return _step(
            session,
            books,
            held,
            sender,
            "choose",
            rounds,
            held.objection,
            CHOICES[choice],
            does=f"chooses the {choice}",
        )
    if step == SETTLE:
        return _step(session, books, held, sender, "settle", rounds, does="settles", terms=False)
    if step == CLOSE:
        does = "carries out the fallback, the arbiter being silent"
        return _step(
            session, books, held, sender, "closeObjection", rounds, held.objection, does=does, terms=False
        )
    if step == FALL_BACK:
        return _step(
            session, books, held, sender, "fallBack", _last(books, held), does="carries out the fallback"
        )
    if step == RELEASE:
        return _step(session, books, held, sender, "release", held.settled, does="releases what is held")
    if held.outlook.sweepable:
        return _step(
            session, books, held, sender, "sweep", held.settled, does="passes late money on", terms=False
        )
    raise _nothing_to_do(held)


def _nothing_to_do(held: Standing) -> LedgerError:
    words = step_words(held)
    return LedgerError(
        f"There is nothing to settle in {_where(held)} now.",
        why=f"{words[0].upper()}{words[1:]}.",
        remedy=f"See: `licence-ledger distribution show {held.licence} {held.period}`.",
        exit_code=ExitCode.USAGE,
    )


def _step(
    session: Session,
    books: Books,
    held: Standing,
    sender: str,
    function: str,
    *arguments: object,
    does: str,
    terms: bool = True,
) -> Plan:
    token = session.ledger.token(held.token)
    request = _request(
        session, books, held, function, *arguments, note=f"{function} {_where(held)}", terms=terms
    )
    effect = Effect(checksum_address(sender), does, _where(held), f"{shown_amount(token, held.waits)} wait")
    return Plan(sender, [effect], [request])


def _request(
    session: Session,
    books: Books,
    held: Standing,
    function: str,
    *arguments: object,
    note: str,
    terms: bool = True,
) -> Request:
    encoded = [books.licences.grants[held.licence].terms.encode()] if terms else []
    # The same step may come again once more money has arrived or another round has begun.
    deadline = books.distributions.round_of(held.licence, held.period, held.outlook.round).deadline
    occasion = f"{held.outlook.round}/{held.outlook.stage}/{deadline}/{held.waits}/{held.moved}"
    return session.ledger.distributions.request(
        function, held.licence, *encoded, held.period, *arguments, note=note, occasion=occasion
    )


# ---- words


def step_words(held: Standing) -> str:
    """What can be done now, by whom and until when."""
    until = format_time(held.outlook.until) if held.outlook.until else ""
    money = "nothing waits in its account" if not held.outlook.waits else "nothing can be done"
    return {
        0: f"{money} until {until}" if until else money,
        1: f"the licensor may post until {until}",
        2: f"licensor or licensee may post until {until}",
        3: f"payees may object until {until}",
        4: "nobody objected: anyone may settle",
        5: f"the arbiter may choose until {until}",
        6: "the arbiter was silent: anyone may carry out the fallback",
        7: "nothing was posted in time: anyone may carry out the fallback",
        8: "anyone may release what is held",
        9: "all is done",
    }[held.outlook.step]


def _where(held: Standing) -> str:
    return f"period {held.period} of licence {held.licence}"


def publish_words(tree: MerkleSumTree, missing: Sequence[int]) -> str:
    """What is left to publish of a split."""
    return f"{sized(len(missing), 'page')} of {tree.pages:,}"


def periods(session: Session, books: Books, licence: int) -> list[int]:
    """The booked periods of a weighted licence, in order. Raises LedgerError as `standing` does."""
    if licence not in books.licences.grants:
        raise ValueRefused(f"There is no licence {licence}.", remedy="See `licence-ledger licence list`.")
    booked = sorted(period for number, period in books.licences.periods if number == licence)
    return booked or [0]
