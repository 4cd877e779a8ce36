"""Random trees and licence histories from a `random.Random`, for property tests and for differential tests.

A history is a list of commands with rising times. Most of them succeed; some are wrong on purpose, so that
errors are compared too. `play` runs one command on the model; a Solidity test sends the same and compares
entry by entry.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from ledger.domain.calendar import DAY, YEAR
from ledger.domain.canonical import ZERO_ADDRESS, keccak256
from ledger.domain.catalogue_book import Settings
from ledger.domain.chain_terms import ChainTerms, Offer
from ledger.domain.journal import Entry
from ledger.domain.licence_types import BY_LICENSEE, UNLIMITED, Figures
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.model import Ledger
from ledger.domain.reverts import Revert
from ledger.domain.royalty import NO_LIMIT, PPM, Tier
from ledger.domain.split_types import Run


def address(name: str) -> str:
    """An address that follows from a name."""
    return "0x" + keccak256(name.encode())[12:].hex()


LICENSEE, ARBITER, STRANGER, BUYER = map(address, ("licensee", "arbiter", "stranger", "buyer"))
LICENSOR_KEY = keccak256(b"licensor")
LICENSOR = "0xdbe27ef7af64a41493a81fc363c54520bdfbcfb1"  # of LICENSOR_KEY, so that offers can be signed
TOKEN = address("token")
POOL = address("pool")
GENESIS = 1_767_225_600  # 1 January 2026
FIGURE = 2**104

#: Sizes at which the shape of trees and pages changes.
EDGE_SIZES = (1, 2, 3, 4, 5, 7, 8, 9, 63, 64, 65, 127, 128, 129, 130, 255, 256, 257, 300)


def random_tree(rng: Random, size: int | None = None) -> MerkleSumTree:
    """A split of an edge size or a random one, with units small, large, alike, and at the limit of 2^96 −
    1.
    """
    count = size or rng.choice((*EDGE_SIZES, rng.randrange(1, 400)))
    style = rng.randrange(4)
    units = {
        0: lambda: rng.randrange(1, 10),
        1: lambda: 1,
        2: lambda: rng.randrange(1, 2**96),
        3: lambda: rng.choice((1, 2**96 - 1, 2**95, rng.randrange(1, 2**64))),
    }[style]
    # In the order drawn: that of a set of texts changes with each process, and a seed would build another tree.
    payees = list(dict.fromkeys("0x" + rng.randbytes(20).hex() for _ in range(count)))
    return MerkleSumTree.build([(payee, units()) for payee in payees])


def all_pages(tree: MerkleSumTree) -> list[Run]:
    """Every page of a tree with its proof."""
    return [Run(page, tree.page_words(page), tree.page_proof(page)) for page in range(tree.pages)]


def random_amount(rng: Random, limit: int = FIGURE) -> int:
    """An amount of any size below `limit`, small ones as likely as large ones, edges now and then."""
    if rng.random() < 0.05:
        return rng.choice((0, 1, limit - 1))
    return min(limit - 1, rng.randrange(1, 2 ** rng.randrange(1, limit.bit_length())))


def random_tiers(rng: Random, scale: int) -> tuple[Tier, ...]:
    """Marginal tiers; none now and then."""
    count = rng.choice((0, 1, 1, 1, 2, 2, 2, 3, 16))
    limits = sorted({rng.randrange(1, scale * 4) for _ in range(count - 1)}) if count > 1 else []
    rates = [
        rng.choice((0, PPM, rng.randrange(PPM + 1), rng.randrange(PPM + 1))) for _ in range(len(limits) + 1)
    ]
    return tuple(Tier(*pair) for pair in zip([*limits, NO_LIMIT], rates, strict=True)) if count else ()


def random_terms(rng: Random, **fixed: Any) -> ChainTerms:
    """Valid terms of every model, with short and long deadlines, around GENESIS."""
    scale = 10 ** rng.randrange(2, 13)
    months = rng.choice((1, 1, 1, 1, 3, 3, 6, 12, 12, 0))
    start = GENESIS + rng.randrange(-200 * DAY, 200 * DAY)
    report = rng.randrange(40)
    scope = rng.randrange(1, 1024)
    fields: dict[str, Any] = {
        "document": rng.randbytes(32),
        "works_root": rng.randbytes(32),
        "catalogue": 1,
        "licensee": rng.choice((ZERO_ADDRESS, LICENSEE)),
        "token": TOKEN,
        "scope": scope,
        "exclusive": rng.choice((0, scope & rng.randrange(1024))),
        "start": start,
        "end": rng.choice((0, 0, start + rng.randrange(1, 4 * YEAR))),
        "transferable": rng.random() < 0.5,
        "upfront_fee": rng.choice((0, random_amount(rng, scale))),
        "advance": rng.random() < 0.3,
        "tiers_over_life": rng.random() < 0.5,
        "deduction_cap_ppm": rng.choice((0, PPM, rng.randrange(PPM + 1))),
        "guarantee": rng.choice((0, random_amount(rng, scale))) if months else 0,
        "cap": rng.choice((0, 0, random_amount(rng, scale * 10))),
        "late_rate_ppm": rng.choice((0, 80_000, rng.randrange(10 * PPM + 1))),
        "grace_days": rng.choice((0, 0, 10)),
        "period_months": months,
        "days_to_report": report,
        "days_to_pay": report + rng.randrange(40),
        "cure_days": rng.choice((0, 5, 30)),
        "attribution_duty": rng.randrange(4),
        "distributions": rng.choice((ZERO_ADDRESS, ZERO_ADDRESS, POOL)),
        "model": rng.choice((bytes(32), b"\x05" * 32)),
        "attributor": rng.choice((ZERO_ADDRESS, POOL)),
        "tiers": random_tiers(rng, scale) if months else (),
    }
    return ChainTerms(**{**fields, **fixed})


@dataclass(frozen=True)
class Command:
    """One call: `name` is the model's method, `args` its arguments by name, `caller` and `now` the
    transaction's.
    """

    name: str
    caller: str
    now: int
    args: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class History:
    """Settings and splits of a catalogue, then the commands of one licence of it; `outcomes` are the
    model's.
    """

    settings: Settings
    trees: tuple[MerkleSumTree, ...]
    terms: ChainTerms
    commands: tuple[Command, ...]
    outcomes: tuple[list[Entry] | Revert, ...]


def prepare(ledger: Ledger, settings: Settings, trees: tuple[MerkleSumTree, ...]) -> None:
    """Publishes the trees and creates catalogue 1 of LICENSOR with the first one in force from GENESIS on."""
    for tree in trees:
        ledger.splits.publish(LICENSOR, tree.split, all_pages(tree))
    ledger.catalogues.create(LICENSOR, settings)
    ledger.catalogues.announce(LICENSOR, 1, trees[0].id, GENESIS - 300 * DAY)


def play(ledger: Ledger, command: Command) -> list[Entry] | Revert:
    """Runs a command on the model: its entries (of Catalogues or Licences), or its error."""
    try:
        if command.name == "announce":
            return ledger.catalogues.announce(command.caller, **command.args, now=command.now)
        if command.name in ("cancel_nonce", "move"):
            return getattr(ledger.licences, command.name)(command.caller, **command.args)
        return getattr(ledger.licences, command.name)(command.caller, **command.args, now=command.now)
    except Revert as error:
        return error


def random_history(rng: Random, steps: int = 40, *, token: str = TOKEN, **places: Any) -> History:
    """A licence from offer to end, with wrong calls among the right ones; `places` as Ledger takes them."""
    settings = Settings(
        rng.randbytes(32),
        rng.randbytes(32),
        rng.choice((ARBITER, ARBITER, ARBITER, ZERO_ADDRESS)),
        notice=rng.choice((0, 30 * DAY)),
        dispute_window=rng.choice((3600, 20 * DAY, 60 * DAY)),
        arbiter_window=rng.choice((3600, 30 * DAY)),
    )
    trees = tuple(random_tree(rng, rng.randrange(1, 4)) for _ in range(3))
    terms = random_terms(rng, token=token)
    ledger = Ledger(**places)
    prepare(ledger, settings, trees)
    maker = _Maker(rng, ledger, terms, trees)
    commands: list[Command] = []
    outcomes: list[list[Entry] | Revert] = []
    for _ in range(steps):
        command = maker.next()
        commands.append(command)
        outcomes.append(play(ledger, command))
    return History(settings, trees, terms, tuple(commands), tuple(outcomes))


class _Maker:
    """Makes commands that fit the state of the model more often than not."""

    def __init__(
        self, rng: Random, ledger: Ledger, terms: ChainTerms, trees: tuple[MerkleSumTree, ...]
    ) -> None:
        self.rng = rng
        self.ledger = ledger
        self.book = ledger.licences
        self.terms = terms
        self.trees = trees
        self.now = max(GENESIS, terms.start + rng.randrange(-30 * DAY, 120 * DAY))
        self.scale = 10 ** rng.randrange(2, 14)
        self.nonce = 0
        self.granted = 0

    def next(self) -> Command:
        rng = self.rng
        if not self.book.count:
            return self._grant()
        self.now += rng.choice(
            (0, 0, 1, rng.randrange(3 * DAY), rng.randrange(3 * DAY), rng.randrange(45 * DAY))
        )
        if rng.random() < 0.03:
            return self._make("announce", LICENSOR, catalogue=1, split_id=rng.choice(self.trees).id)
        disputed = self.state.open_disputes != 0
        weights = {
            self._report: 8,
            self._report_many: 1,
            self._book_missing: 2,
            self._restate: 4,
            self._pay: 6,
            self._object: 4,
            self._call_arbiter: 8 if disputed else 1,
            self._settle: 10 if disputed else 1,
            self._give_notice: 2,
            self._terminate: 1,
            self._expire: 1,
            self._move: 1,
        }
        return rng.choices(list(weights), list(weights.values()))[0]()

    def _make(self, name: str, caller: str, **args: Any) -> Command:
        return Command(name, caller, self.now, args)

    def _grant(self) -> Command:
        """Offer, then acceptance; wrong ones between them now and then."""
        rng = self.rng
        offer = Offer(self.nonce, self.now + rng.choice((-1, 5 * DAY, 5 * DAY)), "ipfs://terms")
        step, self.granted = self.granted, self.granted + 1
        if step % 3 == 0:
            self.offer = offer
            return self._make(
                "offer", rng.choice((LICENSOR, LICENSOR, STRANGER)), terms=self.terms, offer=offer
            )
        self.now += rng.choice((0, DAY))
        if rng.random() < 0.1:
            self.nonce += 1
            return self._make("cancel_nonce", LICENSOR, nonce=self.nonce - 1)
        signed = rng.choice((None, True, True, False))
        chosen = self.offer if signed is None else offer
        terms = self.terms if rng.random() < 0.9 else replace(self.terms, document=bytes(32))
        caller = rng.choice((LICENSEE, LICENSEE, LICENSEE, STRANGER))
        return self._make("accept", caller, terms=terms, offer=chosen, signed=signed)

    # The licence

    @property
    def state(self) -> Any:
        return self.book.states[1]

    def _holder(self) -> str:
        return self.book.holders[1] if self.rng.random() < 0.95 else STRANGER

    def _licensor(self) -> str:
        return LICENSOR if self.rng.random() < 0.95 else STRANGER

    def _booked(self) -> int:
        """A booked period most of the time."""
        if self.rng.random() < 0.05 or not self.state.next_period:
            return self.state.next_period + self.rng.randrange(2)
        return self.rng.randrange(max(0, self.state.next_period - 4), self.state.next_period)

    def _disputed(self) -> int:
        open_ones = [key[1] for key, dispute in self.book.disputes.items() if dispute]
        return self.rng.choice(open_ones) if open_ones and self.rng.random() < 0.95 else self._booked()

    def _figures(self, period: int, version: int, gross: int | None = None) -> Figures:
        rng = self.rng
        if gross is None:
            gross = rng.choice((0, random_amount(rng, self.scale), random_amount(rng, self.scale)))
        if rng.random() < 0.02:
            gross = rng.choice((FIGURE, FIGURE - 1))
        return Figures(
            period,
            gross,
            rng.choice((0, random_amount(rng, self.scale))),
            version=version if rng.random() < 0.97 else version + 1,
            max_due=UNLIMITED if rng.random() < 0.9 else random_amount(rng, self.scale),
            report_hash=rng.randbytes(32),
        )

    def _skip_to(self, period: int) -> None:
        """Lets time pass to the end of a period, most of the time."""
        if self.terms.period_months and self.rng.random() < 0.8:
            work = self.book._work(1, "", self.now)
            self.now = max(self.now, min(work.span(period).end, GENESIS + 40 * YEAR))

    def _report(self) -> Command:
        period = self.state.next_period + (self.rng.random() < 0.03)
        self._skip_to(period)
        figures = self._figures(period, 0)
        pay_now = self.rng.random() < 0.5
        return self._make("report", self._holder(), licence=1, figures=figures, pay_now=pay_now)

    def _report_many(self) -> Command:
        first = self.state.next_period
        count = self.rng.randrange(1, 4)
        self._skip_to(first + count - 1)
        many = [self._figures(first + i, 0) for i in range(count)]
        pay_now = self.rng.random() < 0.5
        return self._make("report_many", self._holder(), licence=1, figures=many, pay_now=pay_now)

    def _book_missing(self) -> Command:
        period = self.state.next_period
        if self.terms.period_months and self.rng.random() < 0.5:
            work = self.book._work(1, "", self.now)
            self.now = max(self.now, min(work.span(period).report_by, GENESIS + 40 * YEAR) + 1)
        return self._make("book_missing", STRANGER, licence=1, period=period)

    def _period(self, period: int) -> Any:
        return self.book.periods.get((1, period))

    def _restate(self) -> Command:
        period = self._booked()
        state = self._period(period)
        gross = state.base + random_amount(self.rng, self.scale) if state else 0
        figures = self._figures(period, state.version if state else 0, gross)
        return self._make("restate", self._holder(), licence=1, figures=figures)

    def _pay(self) -> Command:
        rng = self.rng
        late = [key[1] for key, state in self.book.periods.items() if state.open]
        period = rng.choice(late) if late and rng.random() < 0.8 else self._booked()
        state = self._period(period)
        open_now = state.open if state else 0
        return self._make(
            "pay",
            rng.choice((LICENSEE, STRANGER)),
            licence=1,
            period=period,
            version=state.version if state and rng.random() < 0.97 else 0,
            believed_open=open_now if rng.random() < 0.95 else open_now + 1,
            amount=rng.choice((UNLIMITED, 0, open_now, open_now // 2, random_amount(rng, self.scale))),
        )

    def _object(self) -> Command:
        rng = self.rng
        window = self.ledger.catalogues.rules_of(1)[2]
        fresh = [key[1] for key, state in self.book.periods.items() if state.booked_at + window >= self.now]
        period = rng.choice(fresh) if fresh and rng.random() < 0.8 else self._booked()
        state = self._period(period)
        base = state.base if state else 0
        lower = rng.random() < 0.6
        gross = rng.randrange(base + 1) if lower else base + random_amount(rng, self.scale)
        figures = self._figures(period, state.version if state else 0, gross)
        caller = (
            rng.choice((self._holder(), LICENSOR))
            if rng.random() < 0.2
            else (self._holder() if lower else self._licensor())
        )
        return self._make("object", caller, licence=1, figures=figures)

    def _call_arbiter(self) -> Command:
        caller = self.rng.choice((self._holder(), LICENSOR))
        return self._make("call_arbiter", caller, licence=1, period=self._disputed())

    def _settle(self) -> Command:
        period = self._disputed()
        accepted = self.rng.random() < 0.7
        caller = self.rng.choice((self._holder(), LICENSOR, ARBITER, STRANGER))
        dispute = self.book.dispute_of(1, period)
        if dispute and self.rng.random() < 0.6:
            # The one who may: the arbiter once called, else the other side accepts, or the proposer
            # withdraws.
            lowering = dispute.proposer == BY_LICENSEE
            caller = LICENSOR if lowering == accepted else self.book.holders[1]
            caller = ARBITER if dispute.arbiter_called else caller
        return self._make("settle", caller, licence=1, period=period, accepted=accepted)

    def _give_notice(self) -> Command:
        late = [key[1] for key, state in self.book.periods.items() if state.open]
        period = self.rng.choice([*late, self.state.next_period])
        return self._make("give_notice", self._licensor(), licence=1, period=period)

    def _terminate(self) -> Command:
        if self.state.in_cure and self.rng.random() < 0.5:
            self.now = max(self.now, self.state.cure_until + 1)
        return self._make("terminate", self._licensor(), licence=1)

    def _expire(self) -> Command:
        return self._make("expire", STRANGER, licence=1)

    def _move(self) -> Command:
        holder = self.book.holders[1]
        to = self.rng.choice((BUYER, LICENSEE, ZERO_ADDRESS))
        return self._make("move", self._holder(), licence=1, sender=holder, to=to)
