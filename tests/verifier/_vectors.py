"""2,000 vectors from one seed, and what the Python model makes of each.

Trees, leaves, entitlements, folds, terms, histories. A vector is JSON: `kind`, what goes in, and for folds and
histories the entries as raw logs. Bytes are 0x and digits, numbers decimal.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from strategies import (
    GENESIS,
    LICENSOR,
    History,
    address,
    all_pages,
    play,
    random_history,
    random_terms,
    random_tree,
)
from test_trees_agree import _wrong_leaf as wrong_leaf

from ledger.audit.layout import layout_of
from ledger.audit.words_licences import licence_words
from ledger.domain.calendar import DAY
from ledger.domain.chain_terms import ChainTerms
from ledger.domain.journal import Entry, RawLog, encode_entry, fold_all
from ledger.domain.licence_views import due_of
from ledger.domain.merkle_sum import MerkleSumTree, Split, check_leaf, root_of
from ledger.domain.model import Ledger
from ledger.domain.reverts import Revert
from ledger.domain.royalty import entitled_down
from ledger.domain.split_book import SplitBook

Vector = dict[str, Any]
#: How many of each kind: 2,000 in all.
COUNTS = {"tree": 250, "leaf": 600, "entitled": 350, "fold": 200, "terms": 350, "history": 250}
SEED = 2_000
#: Where a chain of tests/contracts/_mini.py begins, as tests/vectors/test_licences_agree.py sets it.
BLOCK, TIME = 1, GENESIS - 400 * DAY


def hex_of(value: bytes) -> str:
    """0x and digits."""
    return "0x" + value.hex()


def bytes_of(text: str) -> bytes:
    """The bytes of 0x and digits."""
    return bytes.fromhex(text[2:])


def vectors(kind: str, places: dict[str, Any], token: str) -> Iterator[Vector]:
    """The vectors of a kind. `places`: the addresses of the contracts and the chain id."""
    made = {
        "tree": _tree,
        "leaf": _leaf,
        "entitled": _entitled,
        "fold": _fold,
        "terms": _terms,
        "history": lambda rng: _history(rng, places, token),
    }[kind]
    for number in range(COUNTS[kind]):
        yield {"kind": kind, **made(Random(f"{SEED} {kind} {number}"))}


def _split(split: Split) -> Vector:
    return {"root": hex_of(split.root), "total": str(split.total), "depth": str(split.depth)}


def _tree(rng: Random) -> Vector:
    tree = random_tree(rng)
    return {"depth": tree.depth, "words": [hex_of(tree.leaf(index)) for index in range(tree.leaves)]}


def _leaf(rng: Random) -> Vector:
    tree = random_tree(rng)
    index = rng.randrange(tree.leaves)
    split, at, word, proof = tree.split, index, tree.leaf(index), tree.leaf_proof(index)
    if rng.random() < 0.7:
        split, at, word, proof = wrong_leaf(rng, tree, index)
    siblings = list(map(hex_of, proof))
    return {"split": _split(split), "index": str(at), "leaf": hex_of(word), "siblings": siblings}


def _entitled(rng: Random) -> Vector:
    tree = random_tree(rng, rng.choice((1, 2, 3, 7, 20)))
    amounts = [rng.randrange(1, 2 ** rng.randrange(1, 126)) for _ in range(2)]
    index = rng.randrange(tree.leaves)
    words = [hex_of(tree.leaf(one)) for one in range(tree.leaves)]
    return {"words": words, "index": index, "credits": list(map(str, amounts))}


def _fold(rng: Random) -> Vector:
    """Payees name addresses and cancel nonces, at rising times."""
    calls, block, time = [], BLOCK, TIME
    for _ in range(rng.randrange(0, 9)):
        moved = rng.randrange(0, 10**6)
        block, time = block + 1, time + moved
        caller = address(f"payee {rng.randrange(4)}")
        to = None if rng.random() < 0.4 else address(f"to {rng.randrange(9)}")
        calls.append({"caller": caller, "to": to, "block": block, "time": time})
    return {"calls": calls, "entries": [_line("Splits", log) for log in _logs_of_calls(calls)]}


def _line(contract: str, log: RawLog) -> list[Any]:
    """An entry as bundles write it."""
    topics = [hex_of(log.topic0), hex_of(log.topic1)]
    return [contract, log.block_number, log.timestamp, *topics, hex_of(log.data)]


def _logs_of_calls(calls: list[Vector]) -> Iterator[RawLog]:
    book = SplitBook()
    for call in calls:
        if call["to"] is None:
            made = book.cancel_claim_nonce(call["caller"])
        else:
            made = book.set_standing_address(call["caller"], call["to"])
        yield from (encode_entry("Splits", one, call["block"], call["time"]) for one in made)


def _terms(rng: Random) -> Vector:
    data = random_terms(rng).encode()
    words = [data[at : at + 32] for at in range(0, len(data), 32)]
    style = rng.randrange(6)
    if style == 1:  # one bit
        at = rng.randrange(len(words))
        words[at] = (int.from_bytes(words[at], "big") ^ 1 << rng.choice((0, 3, 31, 103, 160, 255))).to_bytes(
            32, "big"
        )
    elif style == 2:  # a word of another size
        at = rng.randrange(len(words))
        words[at] = rng.choice((0, 1, 3, 12, 10**6, 10**6 + 1, 2**104, 2**128 - 1, 2**256 - 1)).to_bytes(
            32, "big"
        )
    elif style == 3:  # cut or longer
        words = rng.choice((words[:-1], [*words, bytes(32)], words[: rng.randrange(len(words))]))
    elif style == 4:  # two words change places
        one, other = rng.randrange(len(words)), rng.randrange(len(words))
        words[one], words[other] = words[other], words[one]
    joined = b"".join(words)
    return {"terms": hex_of(joined[:-1] if style == 5 and rng.random() < 0.2 else joined)}


# ---- histories


def logs_of(history: History, places: dict[str, Any]) -> tuple[Ledger, list[tuple[str, RawLog]], int]:
    """The model after a history, its entries as raw logs, and the time of the last command."""
    model = Ledger(**places)
    logs: list[tuple[str, RawLog]] = []
    block, time = BLOCK, TIME

    def told(contract: str, entries: list[Entry]) -> None:
        logs.extend((contract, encode_entry(contract, one, block, time)) for one in entries)

    for tree in history.trees:
        told("Splits", model.splits.publish(LICENSOR, tree.split, all_pages(tree)))
    told("Catalogues", model.catalogues.create(LICENSOR, history.settings))
    block, time = block + 1, GENESIS - 300 * DAY
    told("Catalogues", model.catalogues.announce(LICENSOR, 1, history.trees[0].id, time))
    for command in history.commands:
        model.pulled.clear()
        outcome = play(model, command)
        block, time = block + 1, command.now
        if isinstance(outcome, Revert):
            continue
        told("Splits", model.pulled)
        told("Catalogues" if command.name == "announce" else "Licences", outcome)
    return model, logs, time


def history_of(number: int, places: dict[str, Any], token: str) -> History:
    """The history of a vector, by its number."""
    return random_history(Random(f"{SEED} history {number}"), token=token, **places)


def _history(rng: Random, places: dict[str, Any], token: str) -> Vector:
    history = random_history(rng, token=token, **places)
    _, logs, now = logs_of(history, places)
    entries = [_line(name, log) for name, log in logs]
    return {"licences": places["licences"], "entries": entries, "now": now}


# ---- what the model makes of a vector


def by_model(vector: Vector, number: int, places: dict[str, Any], token: str) -> Vector:
    """The result of the Python model."""
    match vector["kind"]:
        case "tree":
            words = b"".join(map(bytes_of, vector["words"]))
            root, total = root_of(words.ljust(32 << vector["depth"], b"\0"), vector["depth"])
            split = Split(root, total, vector["depth"])
            return {"root": hex_of(root), "total": str(total), "id": hex_of(split.id)}
        case "leaf":
            told = vector["split"]
            split = Split(bytes_of(told["root"]), int(told["total"]), int(told["depth"]))
            siblings = list(map(bytes_of, vector["siblings"]))
            try:
                return {
                    "id": hex_of(check_leaf(split, int(vector["index"]), bytes_of(vector["leaf"]), siblings))
                }
            except Revert as error:
                return {"error": error.name}
        case "entitled":
            tree = MerkleSumTree.from_words(b"".join(map(bytes_of, vector["words"])))
            units = int.from_bytes(tree.leaf(vector["index"])[20:], "big")
            first, second = map(int, vector["credits"])
            before, after = (entitled_down(one, units, tree.split.total) for one in (first, first + second))
            return {"paid": str(before), "owed": str(after - before)}
        case "fold":
            return {"head": hex_of(fold_all(_logs_of_calls(vector["calls"])))}
        case "terms":
            return _terms_by_model(bytes_of(vector["terms"]))
        case _:
            model, logs, now = logs_of(history_of(number, places, token), places)
            return _state(model, logs, now)


def _terms_by_model(data: bytes) -> Vector:
    """`which` is None where the model cannot tell the field: what is not canonical is all one to it."""
    try:
        terms = ChainTerms.decode(data)
    except Revert:
        return {"good": False, "which": None}
    try:
        terms.check()
    except Revert as error:
        return {"good": False, "which": error.arguments[0]}
    return {"good": True, "which": None}


def _state(model: Ledger, logs: list[tuple[str, RawLog]], now: int) -> Vector:
    heads = {
        name: hex_of(fold_all(log for of, log in logs if of == name))
        for name in ("Splits", "Catalogues", "Licences")
    }
    book = model.licences
    found: Vector = {"heads": heads, "words": {}, "dues": []}
    found["credited"] = {
        f"{hex_of(split_id)}/{token}": str(amount)
        for (split_id, token), amount in model.splits.cumulatives.items()
    }
    if not book.count:
        return found
    layout = layout_of("Licences")
    periods = range(book.states[1].next_period)
    wanted = {layout.slot(label, 1) for label in ("_termsHashes", "_licences", "_secondWords")}
    wanted |= {
        layout.slot(label, 1, period)
        for period in (*periods, len(periods))
        for label in ("_periods", "_interest")
    }
    for word in licence_words(book, {}):
        if word.slot in wanted:
            found["words"][hex_of(word.slot)] = str(int.from_bytes(word.expected, "big"))
    for period in periods:
        due = due_of(book, 1, period, now=now)
        told = (due.start, due.end, due.report_by, due.pay_by, due.interest_from, due.base, due.open)
        found["dues"].append([*map(str, told), str(due.interest), str(due.owed_in_all), str(due.set_off)])
    return found
