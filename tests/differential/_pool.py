"""One random history of weighted licences on the contracts and on the model, step by step."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import Any

from _codec import encode
from _pair import BUILDS, Answer, Contract, Log, Pair, entry_log, is_entry, raw, same_refusal, words
from _states import encoded, figures_args
from _town import settings_args
from distribution_maker import Maker
from distribution_strategies import (
    DONOR,
    PEOPLE,
    POOR,
    WITHOUT_TERMS,
    Setting,
    Step,
    play,
    prepare,
    random_setting,
)
from strategies import ARBITER, GENESIS, LICENSEE, LICENSOR, STRANGER, all_pages

from ledger.domain.calendar import DAY
from ledger.domain.conservation import account_sums, conservations, short_bonds
from ledger.domain.distribution_types import Posting, Protest, bond_of, bond_salt
from ledger.domain.distribution_views import deadlines_of, outlook_of, standing_split
from ledger.domain.journal import Entry
from ledger.domain.merkle_sum import MerkleSumTree, Split
from ledger.domain.model import Ledger
from ledger.domain.replay import Replay
from ledger.domain.reverts import Revert
from ledger.domain.split_types import account_id

NO_PERMIT = (0, 0, 0, bytes(32), bytes(32))
DISTRIBUTION = "(address,bytes32,uint256,uint256)"
ROUND = "(uint256,bool,bool,bool,uint256,bytes32,bytes32,uint256)"
NAMES = {"close_objection": "closeObjection", "fall_back": "fallBack"}
LICENCE_NAMES = {"give_notice": "giveNotice"}
ALL = 2**256 - 1
WHO = {LICENSOR: "licensor", LICENSEE: "licensee", ARBITER: "arbiter", POOR: "poor", STRANGER: "stranger"}


class Pool:
    """The contracts and tokens that all histories of a chunk start from."""

    def __init__(self, builds: tuple[str, ...] = BUILDS) -> None:
        self.pair = pair = Pair(GENESIS - 20 * DAY, builds)
        splits = pair.deploy("Splits")
        catalogues = pair.deploy("Catalogues", splits.address)
        licences = pair.deploy("Licences", splits.address, catalogues.address)
        distributions = pair.deploy("Distributions", licences.address)
        self.contracts: dict[str, Contract] = {
            "Splits": splits,
            "Catalogues": catalogues,
            "Licences": licences,
            "Distributions": distributions,
        }
        self.payer = pair.deploy("TestPayer", splits.address)
        self.fees: dict[str, int] = {}
        #: The most gas that a call of each name has used so far.
        self.most_gas: Counter[str] = Counter()
        for name, args, fee in (("TestDollar", (), 0), ("FeeToken", (6, 12_345), 12_345)):
            token = pair.deploy(name, *args)
            self.fees[token.address] = fee
            for holder in PEOPLE:
                token.do("mint", holder, 2**200)
                if holder != POOR:
                    for spender in (licences, distributions):
                        token.do("approve", spender.address, ALL, sender=holder)
            token.do("mint", self.payer.address, 2**200)

    @property
    def places(self) -> dict[str, Any]:
        """The addresses and the chain id, as model and replay take them."""
        held = {name.lower(): one.address for name, one in self.contracts.items() if name != "Catalogues"}
        return {**held, "chain_id": 1}

    def arrives(self, payer: str, token: str, amount: int) -> int:
        """What of an amount arrives at Splits; only those who act have money, and the poor one gave no allowance."""
        if amount and (payer == POOR or payer not in (*PEOPLE, self.payer.address)):
            raise Revert("ERC20InsufficientAllowance", self.contracts["Distributions"].address, 0, amount)
        return amount - amount * self.fees[token] // 10**6


def run_one(pool: Pool, rng: Random, tally: Counter[tuple[str, str]], steps: int) -> None:
    """One random history; raises AssertionError where a build and the model differ."""
    mark = pool.pair.mark()
    history = History(pool, rng)
    try:
        history.run(tally, steps)
    except Exception as error:
        told = "\n".join(
            f"{number:3} {shown(step)} -> {how}" for number, (step, how) in enumerate(history.steps)
        )
        raise AssertionError(f"{error!s:.4000}\nThe steps so far:\n{told}") from error
    pool.pair.back(mark)


class History:
    """One history on the contracts and on the model."""

    def __init__(self, pool: Pool, rng: Random) -> None:
        self.pool, self.pair = pool, pool.pair
        self.ledger = Ledger(**pool.places, arrives=pool.arrives)
        self.replay = Replay(**pool.places)
        self.book = self.ledger.distributions
        self.steps: list[tuple[Step, str]] = []
        tokens = tuple(pool.fees)
        self.setting = random_setting(rng, (*tokens[:1] * 3, *tokens), self.book.address)
        self._begin(self.setting)
        start = max(self.pair.time, self.setting.terms[0].start)
        self.maker = Maker(rng, self.ledger, self.setting, start, floods=True)

    def _begin(self, setting: Setting) -> None:
        """Catalogue and licences; what they record is compared as any other step's is."""
        at = GENESIS - 10 * DAY
        self.pair.at(at)
        told = prepare(self.ledger, setting, at)
        logs: list[Log] = []
        for tree in setting.trees:
            logs += self._publish(tree, LICENSOR).logs
        catalogues, licences = self.pool.contracts["Catalogues"], self.pool.contracts["Licences"]
        logs += catalogues.do("create", settings_args(setting.settings), sender=LICENSOR).logs
        logs += catalogues.do("announce", 1, setting.trees[0].id, sender=LICENSOR).logs
        for nonce, terms in enumerate(setting.terms):
            offer = (nonce, at, "")
            logs += licences.do("offer", encoded(terms), offer, sender=LICENSOR).logs
            logs += licences.do("accept", encoded(terms), offer, b"", NO_PERMIT, sender=LICENSEE).logs
        self._same_logs(told, tuple(logs), in_order=True)

    def run(self, tally: Counter[tuple[str, str]], steps: int) -> None:
        """Runs and compares every step, then the replay of all logs."""
        for _ in range(steps):
            step = self.maker.next()
            if step.caller == DONOR:
                step = self._donation(step)
            self.steps.append((step, "?"))
            outcome = self.step(step)
            self.steps[-1] = (step, outcome)
            tally[step.name, outcome] += 1
            if outcome != "ok":
                continue
            for contract, entry in self.last:
                if contract == "Distributions":
                    kind = f" {entry['outcome']}" if "outcome" in entry.args else ""
                    tally["entry", entry.name + kind] += 1
        self.same_states()

    def _donation(self, step: Step) -> Step:
        """A stranger's money comes by the payer contract, less the token's fee."""
        token, amount = step.args["token"], step.args["arrived"]
        self.asked = amount
        arrived = self.pool.arrives(self.pool.payer.address, token, amount)
        return Step(step.name, self.pool.payer.address, step.now, {**step.args, "arrived": arrived})

    def step(self, step: Step) -> str:
        """Runs a step on both; returns `ok` or the name of the error."""
        self.pair.at(step.now)
        told = play(self.ledger, step)
        answer = self._send(step)
        self.pool.most_gas[step.name] = max(self.pool.most_gas[step.name], self.pair.gas_used)
        if isinstance(told, Revert):
            same_refusal(answer, told, step.name)
            return told.name
        assert answer.ok, f"the contract refuses: {answer.error!r}; the model records {told}"
        self.last = told
        self._same_logs(told, answer.logs, in_order=step.name not in ("report", "pay", "restate"))
        if step.name == "sweep":
            moved = sum(one["amount"] for contract, one in told if contract == "Splits")
            assert answer.output == encode(["uint256"], [moved]), words(answer.output)
        if step.args.get("period", 2**16) < 2**16:
            self.same_period(step.args["licence"], step.args["period"])
        return "ok"

    def _same_logs(self, told: list[tuple[str, Entry]], logs: tuple[Log, ...], *, in_order: bool) -> None:
        """The entries of all contracts are the model's, to the byte; the replay hears them."""
        names = {one.address: name for name, one in self.pool.contracts.items()}
        found = [log for log in logs if log.address in names and is_entry(names[log.address], log)]
        wanted = [entry_log(name, one, self.pool.contracts[name].address) for name, one in told]
        if not in_order:
            found.sort(key=lambda log: log.address)
            wanted.sort(key=lambda log: log.address)
        assert found == wanted, f"{found}\nnot {told}"
        for log in logs:
            if log.address in names and is_entry(names[log.address], log):
                self.replay.feed(names[log.address], raw(log, self.pair.block, self.pair.time))

    # Sending

    def _publish(self, tree: Any, sender: str) -> Answer:
        pages = [(one.first_page, one.words, one.siblings) for one in all_pages(tree)]
        return self.pool.contracts["Splits"].call("publish", split_args(tree.split), pages, sender=sender)

    def _send(self, step: Step) -> Answer:
        args, sender = step.args, step.caller
        contracts = self.pool.contracts
        match step.name:
            case "publish":
                return self._publish(args["tree"], sender)
            case "donate":
                values = (args["controller"], args["salt"], args["token"], self.asked, b"")
                return self.pool.payer.call("fund", *values)
            case "announce":
                return contracts["Catalogues"].call("announce", *args.values(), sender=sender)
            case "offer_ownership":
                return contracts["Catalogues"].call("offerOwnership", *args.values(), sender=sender)
            case "accept_ownership":
                return contracts["Catalogues"].call("acceptOwnership", 1, sender=sender)
            case "move":
                values = (args["sender"], args["to"], args["licence"])
                return contracts["Licences"].call("transferFrom", *values, sender=sender)
            case "report" | "restate" | "pay" | "give_notice" | "terminate":
                return self._send_licence(step)
        distributions = contracts["Distributions"]
        given = [call_value(one) for name, one in args.items() if name not in ("licence", "period")]
        where: tuple[Any, ...] = (args["licence"], args["period"])
        if step.name not in WITHOUT_TERMS:
            assert step.terms is not None
            where = (args["licence"], encoded(step.terms), args["period"])
        return distributions.call(NAMES.get(step.name, step.name), *where, *given, sender=sender)

    def _send_licence(self, step: Step) -> Answer:
        args = dict(step.args)
        licence = args.pop("licence")
        if "figures" in args:
            args["figures"] = figures_args(args["figures"])
        terms = encoded(self.setting.terms[licence - 1])
        name = LICENCE_NAMES.get(step.name, step.name)
        return self.pool.contracts["Licences"].call(name, licence, terms, *args.values(), sender=step.caller)

    # States

    def same_period(self, licence: int, period: int) -> None:
        """Rounds, views, and what lies in the accounts of a period."""
        distributions, book = self.pool.contracts["Distributions"], self.book
        salt = self.ledger.licences.salt_of(licence, period)
        token = self.setting.terms[licence - 1].token
        for number in range(len(book.settled(licence, period)) + 2):
            held = book.round_of(licence, period, number)
            values = [
                held.stage,
                held.by_licensee,
                held.replaced,
                held.by_arbiter,
                held.deadline,
                held.commitment,
                held.objection_hash,
                held.moved,
            ]
            distributions.shows("roundOf", [licence, period, number], [ROUND], [values])
            bond = bond_salt(salt, number)
            distributions.shows("bondSaltOf", [licence, period, number], ["bytes32"], [bond])
            self._same_balance(bond, token)
        self._same_balance(salt, token)
        distributions.shows("saltOf", [licence, period], ["bytes32"], [salt])
        distributions.shows(
            "lastStood", [licence, period], ["bool", "uint256"], book.last_stood(licence, period)
        )
        terms = encoded(self.setting.terms[licence - 1])
        settled = book.settled(licence, period)
        for name, kinds, view, more in (
            ("deadlinesOf", ["uint256"] * 7, deadlines_of, []),
            ("standingSplit", ["bytes32"], standing_split, []),
            ("outlookOf", ["uint256"] * 6, outlook_of, [settled]),
        ):
            answer = distributions.call(name, licence, terms, period, *more)
            try:
                args = {"now": self.pair.time} if more else {}
                value = view(book, licence, period, *more, **args)
            except Revert as error:
                same_refusal(answer, error, name)
                continue
            fields = [value] if isinstance(value, bytes) else [getattr(value, one) for one in value.__slots__]
            assert (answer.ok, answer.output) == (True, encode(kinds, fields)), f"{name}: {value}"
        for amount in (0, 1, 99, 100, 101, ALL):
            distributions.shows("bondOf", [amount], ["uint256"], [bond_of(amount)])

    def _same_balance(self, salt: bytes, token: str) -> None:
        account = account_id(self.book.address, salt)
        held = self.ledger.splits.account_balance(account, token)
        self.pool.contracts["Splits"].shows("accountBalance", [account, token], ["uint256"], [held])

    def same_states(self) -> None:
        """All periods, all credits, the folds, and the replay of all logs (P-14); P-02 over the model."""
        for licence, period in sorted({key[:2] for key in self.book.rounds}):
            self.same_period(licence, period)
        splits = self.ledger.splits
        for (split_id, token), amount in splits.cumulatives.items():
            self.pool.contracts["Splits"].shows("cumulative", [split_id, token], ["uint256"], [amount])
        self.replay.finish()
        for name, contract in self.pool.contracts.items():
            assert self.replay.heads[name] == self.pair.head(contract), f"the fold of {name}"
        assert self.replay.distributions.rounds == self.book.rounds, "replay: rounds"
        assert self.replay.splits.accounts == splits.accounts, "replay: accounts"
        assert self.replay.splits.cumulatives == splits.cumulatives, "replay: cumulatives"
        assert self.replay.splits.publications == splits.publications, "replay: publications"
        assert self.replay.licences.periods == self.ledger.licences.periods, "replay: periods"
        assert self.replay.licences.holders == self.ledger.licences.holders, "replay: holders"
        assert all(one.holds for one in conservations(splits)), "P-02"
        assert all(one.holds for one in account_sums(splits, self.book)), "P-02 of accounts"
        assert not short_bonds(splits, self.book), "P-02 of bonds"


def shown(value: Any) -> str:
    """A step or what it names, in few words."""
    if isinstance(value, Step):
        args = ", ".join(f"{name}={shown(one)}" for name, one in value.args.items())
        return f"t={value.now} {WHO.get(value.caller, value.caller)} {value.name}({args})"
    if isinstance(value, bytes):
        return value[:4].hex()
    if isinstance(value, str):
        return WHO.get(value, value[:10])
    if isinstance(value, MerkleSumTree):
        return f"tree {shown(value.id)}"
    if isinstance(value, list | tuple):
        return f"({', '.join(map(shown, value))})"
    if names := getattr(value, "__slots__", None):
        return f"{type(value).__name__}({', '.join(shown(getattr(value, one)) for one in names)})"
    return repr(value)


def split_args(split: Split) -> tuple[Any, ...]:
    """ISplits.Split."""
    return (split.root, split.total, split.depth)


def call_value(value: Any) -> Any:
    """An argument as the encoder takes it."""
    if isinstance(value, Posting):
        hashes = (value.usage_hash, value.manifest_root, value.rule_hash)
        return (split_args(value.split), value.amount, *hashes, value.uri)
    if isinstance(value, Protest):
        leaf = value.leaf
        given = (split_args(leaf.split), leaf.token, leaf.index, leaf.leaf, list(leaf.siblings))
        return (given, split_args(value.counter), value.last, value.pay)
    return value
