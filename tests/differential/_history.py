"""One random licence history on the contracts of both builds and on the model, step by step."""

from __future__ import annotations

import functools
from collections import Counter
from random import Random
from typing import Any

from _codec import encode
from _grants import HEIR, KEYS, POOR, Step
from _pair import Answer, entry_log, is_entry, keccak, raw, same_refusal, words
from _states import States, encoded, figures_args
from _town import Town, settings_args
from coincurve import PrivateKey
from strategies import ARBITER, BUYER, LICENSEE, LICENSOR, STRANGER

from ledger.domain.canonical import ZERO_ADDRESS
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.journal import Entry, fold
from ledger.domain.licence_types import Figures
from ledger.domain.reverts import Revert

NO_PERMIT = (0, 0, 0, bytes(32), bytes(32))
#: A permit that nobody signed: it fails and is passed over.
BAD_PERMIT = (1, 2**40, 27, b"\x01" * 32, b"\x02" * 32)
NAMES = {LICENSOR: "licensor", HEIR: "heir", LICENSEE: "licensee", BUYER: "buyer", POOR: "poor"}
NAMES |= {ARBITER: "arbiter", STRANGER: "stranger"}
FUNCTIONS = {
    "report": "report",
    "report_many": "reportMany",
    "book_missing": "bookMissing",
    "restate": "restate",
    "pay": "pay",
    "object": "object",
    "call_arbiter": "callArbiter",
    "settle": "settle",
    "give_notice": "giveNotice",
    "terminate": "terminate",
    "expire": "expire",
}
CATALOGUE_STEPS = {
    "announce": "announce",
    "create": "create",
    "offer_ownership": "offerOwnership",
    "accept_ownership": "acceptOwnership",
    "replace_manifest": "replaceManifest",
}


def run_one(town: Town, rng: Random, tally: Counter[tuple[str, str]]) -> None:
    """One random history; raises AssertionError where a build and the model differ."""
    mark = town.pair.mark()
    history = History(town, rng)
    try:
        history.run(tally)
    except Exception as error:
        raise AssertionError(f"{error!s:.3000}\nThe steps so far:\n{history.told()}") from error
    town.pair.back(mark)


def touched(step: Step) -> list[int]:
    """The periods that a step may have changed."""
    if "period" in step.args:
        return [step.args["period"]]
    figures = step.args.get("figures", ())
    return [one.period for one in (figures if isinstance(figures, list) else [figures] if figures else [])]


class History(States):
    """One history on the contracts and on the model."""

    def __init__(self, town: Town, rng: Random) -> None:
        super().__init__(town, rng)
        self.steps: list[tuple[Step, str]] = []

    def told(self) -> str:
        """The steps, one a line, and the terms that they name."""
        terms: dict[Any, str] = {}

        def show(value: Any) -> str:
            if isinstance(value, ChainTerms):
                return terms.setdefault(value, f"terms{len(terms)}")
            if isinstance(value, bytes):
                return "0x" + value.hex()
            if isinstance(value, Figures):
                return f"Figures{value.period, value.gross, value.deductions, value.version, value.max_due}"
            return repr(value)

        lines = []
        for number, (step, outcome) in enumerate(self.steps):
            args = ", ".join(f"{name}={show(value)}" for name, value in step.args.items())
            given = f" with {show(step.terms)}" if step.terms else ""
            lines.append(
                f"{number:3} t={step.now} {NAMES.get(step.caller)} {step.name}({args}){given} -> {outcome}"
            )
        return "\n".join([*lines, *(f"{name} = {one}" for one, name in terms.items())])

    def run(self, tally: Counter[tuple[str, str]]) -> None:
        """Runs and compares every step, then every state, view, fold and the replay."""
        for _ in range(self.maker.length):
            step = self.maker.next()
            self.steps.append((step, "?"))
            outcome = self.step(step)
            self.steps[-1] = (step, outcome)
            tally[step.name, outcome] += 1
        tally["history", "ok"] += 1
        self.same_states(tally)

    def step(self, step: Step) -> str:
        """Runs a step on both; returns `ok` or the name of the error."""
        ledger = self.ledger
        ledger.pulled.clear()
        self.pair.at(step.now)
        if step.name == "move" and step.args["licence"] in self.book.grants:
            # ERC-721 approvals are no part of the journal; an earlier one is taken back.
            licence = step.args["licence"]
            approved = step.caller if step.args["approved"] else ZERO_ADDRESS
            self.town.licences.do("approve", approved, licence, sender=self.book.holders[licence])
        try:
            entries: list[Entry] | Revert = self._on_model(step)
        except Revert as error:
            entries = error
        answer = self._on_chain(step)
        if isinstance(entries, Revert):
            same_refusal(answer, entries, step.name)
            return entries.name
        assert answer.ok, f"the contract refuses: {answer.error!r}; the model records {entries}"
        own = "Catalogues" if step.name in CATALOGUE_STEPS else "Licences"
        for contract in self.town.contracts:
            made = entries if contract == own else ledger.pulled if contract == "Splits" else []
            self._same_logs(contract, made, answer)
        self.logs += [(step.now, self.pair.block, log) for log in answer.logs]
        self._same_output(step, entries, answer)
        licence = step.args.get("licence", self.book.count if step.name == "accept" else 0)
        if licence:
            self._same_licence(licence, touched(step))
        return "ok"

    def _on_model(self, step: Step) -> list[Entry]:
        args = dict(step.args)
        if step.name in CATALOGUE_STEPS:
            if step.name == "announce":
                args["now"] = step.now
            return getattr(self.ledger.catalogues, step.name)(step.caller, **args)
        if step.name not in ("move", "cancel_nonce"):
            args["now"] = step.now
        if step.terms:
            args["terms_hash"] = keccak(encoded(step.terms))
        return getattr(self.book, step.name)(step.caller, **args)

    def _on_chain(self, step: Step) -> Answer:
        args, sender = step.args, step.caller
        if step.name in CATALOGUE_STEPS:
            function = CATALOGUE_STEPS[step.name]
            values = [settings_args(args["settings"])] if step.name == "create" else list(args.values())
            return self.town.catalogues.call(function, *values, sender=sender)
        call = functools.partial(self.town.licences.call, sender=sender)
        match step.name:
            case "offer" | "accept":
                offer = (args["offer"].nonce, args["offer"].deadline, args["offer"].uri)
                terms = encoded(args["terms"])
                if step.name == "offer":
                    return call("offer", terms, offer)
                permit = BAD_PERMIT if step.now % 3 == 0 else NO_PERMIT
                return call("accept", terms, offer, self._signature(step), permit)
            case "cancel_nonce":
                return call("cancelNonce", args["nonce"])
            case "move":
                return call("transferFrom", args["sender"], args["to"], args["licence"])
        assert step.terms is not None
        values = [value for name, value in args.items() if name != "licence"]
        if "figures" in args:
            given = args["figures"]
            values[0] = (
                figures_args(given) if isinstance(given, Figures) else [figures_args(one) for one in given]
            )
        return call(FUNCTIONS[step.name], args["licence"], encoded(step.terms), *values)

    def _signature(self, step: Step) -> bytes:
        signed = step.args["signed"]
        if signed is None:
            return b""
        digest = self.book.offer_id(step.args["terms"], step.args["offer"])
        owner = self.ledger.catalogues.catalogues.get(self.maker.catalogue)
        key = KEYS[owner.owner] if owner and signed else bytes(31) + b"\x01"
        made = PrivateKey(key).sign_recoverable(digest, hasher=None)
        return made[:64] + bytes([made[64] + 27])

    def _same_logs(self, contract: str, entries: list[Entry], answer: Answer) -> None:
        address = self.town.contracts[contract].address
        found = [log for log in answer.logs if log.address == address and is_entry(contract, log)]
        wanted = [entry_log(contract, one, address) for one in entries]
        assert found == wanted, f"entries of {contract}: {found}, not {entries}"
        for log in found:
            head = self.replay.heads.get("folded " + contract, self.replay.heads[contract])
            folded = fold(head, raw(log, self.pair.block, self.pair.time))
            self.replay.heads["folded " + contract] = folded
        if found:
            head = self.pair.head(self.town.contracts[contract])
            assert head == self.replay.heads["folded " + contract], f"the head of {contract}"

    def _same_output(self, step: Step, entries: list[Entry], answer: Answer) -> None:
        first, last = entries[0] if entries else None, entries[-1] if entries else None
        kinds: list[str] = []
        values: list[Any] = []
        match step.name:
            case "offer":
                kinds, values = ["bytes32"], [first.id]
                self.known_offers.add(first.id)
            case "accept" | "create":
                kinds, values = ["uint256"], [first.number]
            case "announce":
                kinds, values = ["uint256"], [first["effective"]]
            case "report" | "book_missing" | "restate":
                booked = next(one for one in entries if one.name == "Booked")
                kinds, values = ["int256"], [booked["line"]]
            case "pay":
                paid = next(one for one in entries if one.name == "Paid")
                kinds, values = ["uint256", "uint256"], [paid["interest"], paid["principal"]]
        assert answer.output == encode(kinds, values), (
            f"returned {words(answer.output)}, not {values}; {last}"
        )
