"""site build: every page and file on disk, the same bytes each time, nothing of anybody else's overwritten."""

from __future__ import annotations

import hashlib
import json
import threading

import pytest
from _command_schema import check_schema
from _html import all_of, tree
from _scene import ANN, BOB, LICENSEE

from ledger.domain.errors import LedgerError
from ledger.web import pages
from ledger.web.build import MANIFEST, build
from ledger.web.evidence import bundles_of
from ledger.web.pages import Site
from ledger.web.snapshot import Snapshot


def contents(folder) -> dict[str, bytes]:
    """Every file below a folder."""
    return {
        one.relative_to(folder).as_posix(): one.read_bytes() for one in folder.rglob("*") if one.is_file()
    }


@pytest.fixture
def few(site) -> Site:
    """A site of two holders, so that it is quickly built."""
    return Site(site.snapshot, bundles=bundles_of(site.snapshot), only=[ANN, BOB])


def test_the_same_ledger_gives_the_same_bytes_by_another_reading(few, session, tmp_path):
    build(few, tmp_path / "a")
    snapshot = Snapshot(session)
    again = Site(snapshot, bundles=bundles_of(snapshot), only=[BOB, ANN])
    # In another order, and some of it twice.
    for path in reversed(list(again.paths())):
        again.get(path)
    build(again, tmp_path / "b")
    first, second = contents(tmp_path / "a"), contents(tmp_path / "b")
    assert sorted(first) == sorted(second)
    assert [path for path in first if first[path] != second[path]] == []


def test_pdfs_are_set_beside_the_other_pages(few, tmp_path, monkeypatch):
    """Setting one takes as long as all the rest of a holder, and leaves Python free meanwhile."""
    threads = {}

    def noting(name, make):
        def made(statement):
            threads.setdefault(name, set()).add(threading.current_thread() is threading.main_thread())
            return make(statement)

        return made

    for name, make in list(pages._STATEMENTS.items()):
        monkeypatch.setitem(pages._STATEMENTS, name, noting(name, make))
    build(few, tmp_path / "site")
    assert threads == {"statement.csv": {True}, "statement.json": {True}, "statement.pdf": {False}}


def test_what_is_built_is_what_is_served_and_the_manifest_names_every_file(few, tmp_path):
    built = build(few, tmp_path / "site")
    held = contents(tmp_path / "site")
    manifest = json.loads(held.pop(MANIFEST))
    assert set(few.paths()) | {"404.html"} == set(held) == set(manifest["files"])
    for path, body in held.items():
        assert manifest["files"][path] == hashlib.sha256(body).hexdigest()
        if path != "404.html":
            assert few.get(path).body == body
    assert built.files == len(held) + 1
    assert (manifest["block"], manifest["block_hash"]) == (few.snapshot.block, few.snapshot.block_hash)
    kept = [path for path in held if path.startswith("files/")]
    assert kept
    licence = tree(held["licences/1.html"])
    linked = {one.get("href") for one in all_of(licence, "a") if "/files/" in (one.get("href") or "")}
    assert linked
    assert {one.removeprefix("../") for one in linked} <= set(kept)


def test_a_second_build_takes_away_what_is_gone_and_leaves_what_is_not_its_own(few, site, tmp_path):
    folder = tmp_path / "site"
    build(few, folder)
    (folder / "CNAME").write_text("ledger.example")
    one = Site(site.snapshot, bundles=bundles_of(site.snapshot), only=[ANN], formats=("csv",))
    built = build(one, folder)
    # Of Bob: page, three statements, bundle; of Ann: two statements.
    assert built.removed == 5 + 2
    left = contents(folder)
    assert f"holders/{BOB}.html" not in left
    assert f"holders/{ANN}/statement.pdf" not in left
    assert left["CNAME"] == b"ledger.example"
    assert set(one.paths()) | {"404.html", MANIFEST, "CNAME"} == set(left)


@pytest.mark.parametrize("what", ["file", "folder", "liar"])
def test_a_folder_that_holds_something_else_is_left_alone(few, tmp_path, what):
    folder = tmp_path / "site"
    if what == "file":
        folder.write_text("mine")
    else:
        folder.mkdir()
        (folder / "thesis.txt").write_text("mine")
        if what == "liar":
            (folder / MANIFEST).write_text('{"form": "another"}')
    before = folder.read_text() if what == "file" else contents(folder)
    with pytest.raises(LedgerError, match="something else"):
        build(few, folder)
    assert (folder.read_text() if what == "file" else contents(folder)) == before


def test_a_manifest_that_names_files_outside_removes_nothing_there(few, tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    outside = tmp_path / "precious"
    outside.write_text("mine")
    names = ["../precious", str(outside), "a/../../precious", "/etc/hostname", 7]
    (folder / MANIFEST).write_text(
        json.dumps({"form": "licence-ledger site", "files": dict.fromkeys(map(str, names))})
    )
    build(few, folder)
    assert outside.read_text() == "mine"


def test_the_command_builds_and_says_what_it_wrote(scene, tmp_path):
    data = scene.do("site", "build", tmp_path / "site", "--holder", ANN, "--format", "csv")
    check_schema("site.build", data)
    assert data["holders"] == 1
    assert data["files"] == len(contents(tmp_path / "site"))
    assert data["module"].startswith("sha384-")
    assert (tmp_path / "site" / f"holders/{ANN}/statement.csv").exists()
    code, envelope = scene.run("site", "build", tmp_path / "site", "--holder", "0x" + "ab" * 20)
    assert (code, envelope["ok"]) == (2, False)
    assert "payee of no published split" in envelope["error"]["what"]
    code, envelope = scene.run("site", "build", tmp_path / "site", "--format", "docx")
    assert (code, envelope["error"]["where"]) == (2, "--format")


def test_a_page_changes_with_the_chain(few, scene, session, tmp_path):
    scene.do("report", "pay", scene.licence, 3, "--amount", "1", account=LICENSEE)
    snapshot = Snapshot(session)
    later = Site(snapshot, only=[ANN])
    assert later.get("licences/1.html").body != few.get("licences/1.html").body
    assert later.snapshot.block > few.snapshot.block
