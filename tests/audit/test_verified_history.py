"""A second audit goes on from the first and proves as much; what the store is not, is noticed (P-14, P-16)."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from _verified_history import KEY, Shelf, go_on, identity, report, step

from ledger.audit.engine import Audit
from ledger.audit.scopes import Wanted
from ledger.audit.source import NodeSource
from ledger.audit.verified.codec import LISTS, MAPS, PASSING, parts, restored
from ledger.audit.verified.steps import Continuation
from ledger.audit.verified.store import Store, StoreTampered
from ledger.audit.verified.words import touched
from ledger.audit.words import ALL
from ledger.chain.deploy import plan
from ledger.domain.errors import LedgerError
from ledger.domain.undo import Undo


@pytest.fixture
def shelf(scene, tmp_path) -> Shelf:
    """A store that one audit has filled."""
    made = Shelf(tmp_path / "history.store", scene.rpc)
    assert made.audit().passed
    return made


def audited(scene) -> Audit:
    """A whole audit without a store."""
    anchor = bytes.fromhex(scene.anchor()[2:])
    audit = Audit(NodeSource(scene.rpc), plan(), Wanted(anchor=anchor))
    assert audit.run().passed
    return audit


# ---- it proves as much


def test_the_second_audit_says_what_a_whole_one_says(scene, shelf):
    """The verdict's figures are those of an audit from the first entry; fewer words are asked for."""
    go_on(scene)
    second, whole = shelf.audit(), audited(scene).verdict
    assert (second.passed, second.words) == (True, whole.words)
    for name in ("entries", "sums", "solvency", "duties"):
        assert getattr(second, name) == getattr(whole, name)
    for name in ("journal of Splits", "journal of Licences"):
        assert step(second, name).found == step(whole, name).found == step(whole, name).expected
    assert step(second, "replay").compared < step(whole, "replay").compared
    assert step(second, "periods").compared < step(whole, "periods").compared
    assert step(second, "storage since").compared > 0
    third = shelf.audit()
    assert (third.passed, step(third, "replay").compared) == (True, 0)


def test_every_word_that_the_model_changed_is_among_those_proved(scene, shelf):
    """Words that differ from the checkpoint's, or were none of it, are asked for by name."""
    before = audited(scene)
    old = {(one.contract, one.slot): one.expected for one in before.words(ALL)}
    go_on(scene)
    after = audited(scene)
    with shelf.store() as store:
        (checkpoint,) = store.checkpoints()
        one = Continuation(store, checkpoint, after.history)
        scope = touched(one.changes(store.draft(after.history, checkpoint)), after.history)
    assert scope is not None
    named = {(one.contract, one.slot) for one in after.words(scope)}
    changed = {
        (one.contract, one.slot)
        for one in after.words(ALL)
        if old.get((one.contract, one.slot)) != one.expected
    }
    assert changed
    assert changed <= named
    assert len(named) < len(old)


def test_a_restored_history_is_the_same_to_the_last_field(scene):
    history = audited(scene).history
    held: dict[str, list[bytes]] = {}
    for (name, _), data in parts(history, {}):
        held.setdefault(name, []).append(data)
    again = restored(Audit(NodeSource(scene.rpc), plan(), Wanted()).new_history(), held)
    assert dict(opened(again)) == dict(opened(history))
    assert dict(parts(again, {})) == dict(parts(history, {}))


def opened(history) -> list[tuple[str, object]]:
    """Every attribute of the history's objects that is kept, and none that nobody thought of."""
    found, todo, seen = [], [("", history)], set()
    objects = ("ledger.audit.history", "ledger.audit.sources", "ledger.domain")
    while todo:
        path, one = todo.pop(0)  # by depth, so that each object is met by its shortest name
        if id(one) in seen:
            continue
        seen.add(id(one))
        for name in vars(one):
            place, value = f"{path}{name}", getattr(one, name)
            if place in (*MAPS, *LISTS):
                found.append((place, value))
            elif isinstance(value, dict | set | list) or type(value).__name__ == "deque":
                known = place in PASSING or place in ("folds", "moves", "addresses", "_names")
                assert known or callable(next(iter(value.values()))), f"{place} is not kept"
            elif type(value).__module__.startswith(objects) and not isinstance(value, Undo):
                todo.append((f"{place}.", value))
    return sorted(found)


# ---- lies in the new blocks, and in the old


def test_a_lie_made_only_in_the_new_blocks_is_found(scene, shelf, court):
    go_on(scene)
    last = court.find("Booked", -1)
    anchor = bytes.fromhex(scene.anchor()[2:])
    court.replace(last, court.altered(last, gross=court.entry(last)["gross"] + 1))
    verdict = shelf.audit(court.rpc, anchor=anchor)
    assert not verdict.passed
    (journal,) = [one for one in verdict.findings if one.check == "journal"]
    assert journal.block == int(last["blockNumber"], 16)
    court.liar.lie = None
    assert shelf.audit(court.rpc, anchor=anchor).passed


def test_a_proof_of_another_word_is_found(scene, shelf, court):
    """The newest period's word is told as it was before: its proof does not fit the new root."""
    go_on(scene)
    old = hex(shelf.body()["block"])

    def stale(method, params, result):
        if method == "eth_getProof" and len(params[1]) > 1:
            return {**result, "storageProof": court.liar.ask(method, *params[:2], old)["storageProof"]}
        return result

    court.liar.lie = stale
    verdict = shelf.audit(court.rpc, anchor=bytes.fromhex(scene.anchor()[2:]))
    assert {one.check for one in verdict.findings} >= {"proof"}


def test_old_entries_cannot_be_told_otherwise_any_more(scene, shelf, court):
    """They are not asked for again: the store has them folded, and the new head vouches for the fold."""
    first, kept = court.find("Booked", 0), shelf.body()["block"]
    court.replace(first, court.altered(first, gross=1))
    lie, asked = court.liar.lie, []

    def noted(method, params, result):
        if method == "eth_getLogs":
            asked.append(int(params[0]["fromBlock"], 16))
        return lie(method, params, result)

    court.liar.lie = noted
    assert shelf.audit(court.rpc, anchor=bytes.fromhex(scene.anchor()[2:])).passed
    assert asked == []
    go_on(scene)
    assert shelf.audit(court.rpc, anchor=bytes.fromhex(scene.anchor()[2:])).passed
    assert min(asked) == kept + 1


def test_a_word_that_changed_behind_the_entries_back_is_found(scene, shelf):
    """No entry touched it; its subtree is another one, so it is proved again, and named."""
    splits = scene.ledger.splits.address
    from ledger.audit.layout import layout_of

    slot = layout_of("Splits").slot("_accounts", b"\7" * 32, scene.dollar.address)
    scene.rpc.call("anvil_setStorageAt", splits, "0x" + slot.hex(), "0x" + (5).to_bytes(32, "big").hex())
    scene.rpc.call("anvil_mine", "0x1")
    assert shelf.audit().passed  # a word that no entry names: nothing that the audit knows differs
    # A kind that is not drawn at random.
    word = next(one for one in audited_words(scene) if one.check == "offers")
    address = scene.ledger.licences.address
    scene.rpc.call("anvil_setStorageAt", address, "0x" + word.slot.hex(), "0x" + "00" * 12 + "66" * 20)
    scene.rpc.call("anvil_mine", "0x1")
    verdict = shelf.audit()
    assert [(one.check, one.where) for one in verdict.findings] == [("offers", word.where)]


def audited_words(scene) -> list:
    audit = Audit(NodeSource(scene.rpc), plan(), Wanted(anchor=bytes.fromhex(scene.anchor()[2:])))
    audit.run()
    return list(audit.words(ALL))


# ---- a store that was changed


def refused(shelf: Shelf, kind: type[LedgerError] = StoreTampered) -> LedgerError:
    with pytest.raises(kind) as caught:
        shelf.audit()
    assert "--fresh" in caught.value.remedy or "Name another file" in caught.value.remedy
    return caught.value


def one_more(shelf: Shelf, name: str, at: int) -> bytes:
    """A part, a figure of its first item one higher."""
    rows = json.loads(shelf.part(name))
    rows[0][at] += 1
    return json.dumps(rows).encode()


TAMPERED = {
    "an entry's head": lambda shelf: shelf.put(
        "folds.Splits", b"\0" * 8 + b"\1" * 32 + shelf.part("folds.Splits")[40:], sealed=False
    ),
    "an entry dropped": lambda shelf: shelf.put(
        "folds.Licences", shelf.part("folds.Licences")[40:], sealed=False
    ),
    "a figure by one unit": lambda shelf: shelf.put(
        "replay.licences.periods", one_more(shelf, "replay.licences.periods", 2), sealed=False
    ),
    "a part gone": lambda shelf: shelf.sql("delete from part where name = 'replay.splits.paid'"),
    "a part too many": lambda shelf: shelf.sql("insert into part values ('late', 9, ?)", b"[]"),
    "the head": lambda shelf: edit(shelf, heads={**shelf.body()["heads"], "Splits": "11" * 32}),
    "the anchor": lambda shelf: edit(shelf, hash="22" * 32),
    "the block": lambda shelf: edit(shelf, block=1),
    "the roots": lambda shelf: edit(shelf, roots={**shelf.body()["roots"], "Licences": "33" * 32}),
    "no JSON": lambda shelf: shelf.sql("update checkpoint set body = '{'"),
    "no checkpoint": lambda shelf: shelf.sql("delete from checkpoint"),
    "a part that is text": lambda shelf: shelf.sql("update part set data = ''"),
    "no ledger named": lambda shelf: edit(shelf, identity=None),
    "no seal": lambda shelf: shelf.sql("update checkpoint set seal = x''"),
    "a seal of another key": lambda shelf: shelf.seal(shelf.body(), b"\5" * 32),
    "cut short": lambda shelf: os.truncate(shelf.path, shelf.path.stat().st_size * 2 // 3 // 4096 * 4096),
    "overwritten": lambda shelf: overwrite(shelf.path),
}


def edit(shelf: Shelf, **changes: object) -> None:
    """Changes what the checkpoint says, without its seal."""
    text = json.dumps(shelf.body() | changes)
    shelf.sql("update checkpoint set body = ?", text)


def overwrite(path: Path) -> None:
    held = bytearray(path.read_bytes())
    for start in range(4096, len(held), 4096):
        held[start : start + 64] = os.urandom(64)
    path.write_bytes(held)


@pytest.mark.parametrize("how", list(TAMPERED))
def test_a_store_that_was_changed_is_refused_and_begins_again(scene, shelf, how):
    """P-14: never a PASS out of it; `--fresh` is the way on, and says the same as ever."""
    TAMPERED[how](shelf)
    error = refused(shelf)
    assert error.exit_code == 4
    Store.begin_again(shelf.path, KEY, identity(scene.rpc)).close()
    verdict = shelf.audit()
    assert (verdict.passed, "it is empty" in step(verdict, "store").detail) == (True, True)


def test_who_has_the_key_too_cannot_change_what_new_entries_rest_on(scene, shelf):
    """Heads are proved again; a figure is proved as soon as it is touched, and at random before."""
    sums = json.loads(shelf.part("replay.splits.cumulatives"))
    for row in sums:
        row[1] += 1
    shelf.put("replay.splits.cumulatives", json.dumps(sums).encode(), sealed=True)
    verdict = shelf.audit()
    assert {one.check for one in verdict.findings} >= {"credits"}
    folds = shelf.part("folds.Splits")
    shelf.put("folds.Splits", folds[:-1] + bytes([folds[-1] ^ 1]), sealed=True)
    body = shelf.body()
    body["heads"]["Splits"] = (folds[-32:-1] + bytes([folds[-1] ^ 1])).hex()
    shelf.seal(body)
    found = [one for one in shelf.audit().findings if one.check == "journal"]
    assert "--fresh" in found[0].what


def test_a_store_of_another_ledger_or_version_is_refused(scene, shelf, tmp_path):
    body = shelf.body()
    body["identity"]["genesis"] = "44" * 32
    shelf.seal(body)
    error = refused(shelf, LedgerError)
    assert (error.what, error.exit_code) == ("The store is about another ledger.", 2)
    body["shape"] = "an older one"
    shelf.seal(body)
    assert refused(shelf, LedgerError).what == "The store was made by another version."
    other = Shelf(tmp_path / "notes.txt", scene.rpc)
    other.path.write_text("not a store, but somebody's notes of a whole year, which must not be lost" * 9)
    with pytest.raises(LedgerError):
        other.audit()
    with pytest.raises(LedgerError, match="no store"):
        Store.begin_again(other.path, KEY, identity(scene.rpc))
    assert "whole year" in other.path.read_text()
    shelf.path = tmp_path / "books.sqlite"
    shelf.sql("create table sales (amount)")
    with pytest.raises(LedgerError, match="another program"):
        shelf.audit()
    with pytest.raises(LedgerError, match="no store"):
        Store.begin_again(shelf.path, KEY, identity(scene.rpc))
    assert shelf.sql("select count(*) from sales") == [(0,)]


def test_lost_nodes_cost_time_and_nothing_else(scene, shelf):
    """Trie nodes are told by their hashes: a lost or foreign one is as none, and the words beside it are proved."""
    go_on(scene)
    shelf.sql("update node set body = x'c0' where hash in (select hash from node limit 20)")
    shelf.sql("delete from node where hash in (select hash from node order by hash desc limit 20)")
    verdict = shelf.audit()
    assert verdict.passed
    assert " 0 words beside changes" not in step(verdict, "storage since").detail


@pytest.mark.parametrize("body", ["text", 10**12, -1, 1.5, None])
def test_nodes_that_are_no_bytes_are_as_none(scene, shelf, body):
    go_on(scene)
    with contextlib.suppress(sqlite3.IntegrityError):  # a null is refused by the file itself
        shelf.sql("update node set body = ?", body)
    assert shelf.audit().passed


# ---- the store's life


def test_a_kill_in_the_middle_of_writing_leaves_the_last_checkpoint(scene, shelf, tmp_path):
    go_on(scene)
    program = textwrap.dedent(
        f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from pathlib import Path
        from _verified_history import Shelf
        from ledger.audit.verified.store import Store
        from ledger.chain.rpc import Rpc
        def die(self, *given):
            wrote(self, *given)
            os.kill(os.getpid(), signal.SIGKILL)
        wrote, Store._keep_parts = Store._keep_parts, die
        Shelf(Path({str(shelf.path)!r}), Rpc({scene.node.url!r})).audit()
        """
    )
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()
    with shelf.store() as store:
        assert len(store.checkpoints()) == 1
    verdict = shelf.audit()
    assert (verdict.passed, verdict.block > shelf.body()["block"] - 1) == (True, True)
    with shelf.store() as store:
        assert len(store.checkpoints()) == 2


def test_a_block_that_was_replaced_takes_the_store_back(scene, shelf):
    """Rolled back to the last checkpoint that still stands, and on from there on the new chain."""
    first = shelf.body()["block"]
    mark = scene.rpc.call("evm_snapshot")
    go_on(scene)
    assert shelf.audit().passed
    parts_before = shelf.sql("select count(*) from part")
    assert scene.rpc.call("evm_revert", mark)
    scene.after("2024-08-09")
    report(scene, 12_000_000)
    verdict = shelf.audit()
    assert verdict.passed
    assert f"goes on from block {first}" in step(verdict, "store").detail
    assert "was replaced" in step(verdict, "store").detail
    assert verdict.duties == audited(scene).verdict.duties
    assert parts_before


def test_where_all_that_is_kept_was_replaced_it_begins_again(scene, tmp_path):
    shelf = Shelf(tmp_path / "history.store", scene.rpc)
    mark = scene.rpc.call("evm_snapshot")
    go_on(scene)
    assert shelf.audit().passed
    assert scene.rpc.call("evm_revert", mark)
    scene.rpc.call("anvil_mine", "0x2", "0x7")
    verdict = shelf.audit()
    assert (verdict.passed, "all that is kept" in step(verdict, "store").detail) == (True, True)
    assert step(verdict, "replay").compared == verdict.entries


def test_an_anchor_before_the_checkpoint_is_audited_without_the_store(scene, shelf):
    old = bytes.fromhex(scene.anchor()[2:])
    go_on(scene)
    kept = shelf.audit().block
    verdict = shelf.audit(anchor=old)
    assert (verdict.passed, "after the anchor" in step(verdict, "store").detail) == (True, True)
    assert shelf.body()["block"] == kept


def test_transfers_are_checked_from_the_first_block_or_not_said_to_be(scene, shelf):
    verdict = shelf.audit(transfers=True)
    assert (verdict.passed, "without --transfers" in step(verdict, "store").detail) == (True, True)
    go_on(scene)
    after = shelf.audit(transfers=True)
    assert step(after, "transfers").detail.startswith("3 blocks rebuilt")
    assert step(after, "transfers").detail.endswith(f"up to block {verdict.block} by an earlier audit")


def test_a_failed_audit_leaves_the_store_as_it_was(scene, shelf, court):
    before = shelf.path.read_bytes()
    go_on(scene)
    court.swap_logs(lambda one: ())
    assert not shelf.audit(court.rpc, anchor=bytes.fromhex(scene.anchor()[2:])).passed
    assert shelf.path.read_bytes() == before


def test_a_holders_figures_are_proved_in_full_upon_the_store(scene, shelf):
    holder = "0x" + "11" * 20
    verdict = shelf.audit(holder=holder)
    anchor = bytes.fromhex(scene.anchor()[2:])
    whole = Audit(NodeSource(scene.rpc), plan(), Wanted(anchor=anchor, holder=holder)).run()
    assert verdict.passed
    assert verdict.holdings == whole.holdings != []
    assert step(verdict, "leaf slots") == step(whole, "leaf slots")
    with shelf.store() as store:
        assert len(store.checkpoints()) == 1


# ---- the command


def test_the_command_goes_on_from_the_home_folder(scene, tmp_path):
    """P-16: `--continue` keeps in the home folder, `--store` where it is told, `--fresh` begins again."""
    first = scene.do("audit", "run", "--anchor", scene.anchor(), "--continue")
    again = scene.do("audit", "run", "--anchor", scene.anchor(), "--continue")
    notes = [next(one["detail"] for one in of["steps"] if one["name"] == "store") for of in (first, again)]
    assert notes[0].startswith("it is empty")
    assert notes[1].startswith(f"goes on from block {first['block']}")
    (key,) = (scene.folder / "home" / "audit").glob("seal.key")
    assert key.stat().st_mode & 0o077 == 0
    fresh = scene.do("audit", "run", "--anchor", scene.anchor(), "--continue", "--fresh")
    assert fresh["entries"] == first["entries"]
    scene.do("audit", "run", "--anchor", scene.anchor(), "--store", tmp_path)
    (path,) = tmp_path.glob("*.store")
    shelf = Shelf(path, scene.rpc)
    shelf.put("replay.licences.periods", one_more(shelf, "replay.licences.periods", 2), sealed=False)
    code, envelope = scene.run("audit", "run", "--anchor", scene.anchor(), "--store", path)
    assert (code, envelope["error"]["kind"]) == (4, "StoreTampered")
    code, envelope = scene.run("audit", "run", "--fresh")
    assert (code, envelope["error"]["what"]) == (2, "There is no store to begin again.")
