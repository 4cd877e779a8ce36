"""serve: headers on every answer, the store of files, errors of our own, a process that follows the chain and ends."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from base64 import b64encode
from contextlib import contextmanager
from hashlib import sha384

import httpx
import pytest
from _asgi import Answer, Client
from _command_schema import check_schema
from _html import all_of, text_of, tree
from _scene import ANN, LICENSEE

from ledger.cli import main
from ledger.domain.address import checksum_address
from ledger.domain.canonical import keccak256
from ledger.domain.errors import LedgerError, UnreachableError
from ledger.operations.files import FileStore
from ledger.web.app import FILE_POLICY, HEADERS, application
from ledger.web.live import Live


class Clock:
    """Stands still but for `tick`."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def tick(self) -> None:
        self.now += 3600


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def live(session, clock) -> Live:
    """The site over the scene's chain."""
    return Live(session, clock=clock)


@pytest.fixture
def client(live) -> Client:
    return Client(application(live.get))


def hostile(store: FileStore, content: bytes) -> str:
    """Puts a file into the store; its name."""
    return store.put(content).hex()


@pytest.mark.parametrize(
    ("path", "status", "kind"),
    [
        ("/", 200, "text/html; charset=utf-8"),
        ("/index.html", 200, "text/html; charset=utf-8"),
        ("/holders/index.html", 200, "text/html; charset=utf-8"),
        (f"/holders/{ANN}.html", 200, "text/html; charset=utf-8"),
        (f"/holders/{ANN}/statement.csv", 200, "text/csv; charset=utf-8"),
        (f"/holders/{ANN}/statement.json", 200, "application/json"),
        (f"/holders/{ANN}/statement.pdf", 200, "application/pdf"),
        (f"/holders/{ANN}/bundle.jsonl.gz", 200, "application/gzip"),
        ("/licences/1.html", 200, "text/html; charset=utf-8"),
        ("/static/page.css", 200, "text/css; charset=utf-8"),
        ("/static/verifier.js", 200, "text/javascript; charset=utf-8"),
        ("/nothing", 404, "text/html; charset=utf-8"),
        ("/licences/77.html", 404, "text/html; charset=utf-8"),
        ("/a/b/c/d", 404, "text/html; charset=utf-8"),
    ],
)
def test_every_answer_has_its_type_and_the_strict_headers(client, path, status, kind):
    for method in ("GET", "HEAD"):
        answer = client.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == kind
        for name, text in HEADERS.items():
            assert answer.headers[name] == text
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert "set-cookie" not in answer.headers
        assert "server" not in answer.headers


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_it_takes_nothing(client, method):
    answer = client.request(method, "/")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.headers["content-security-policy"] == HEADERS["content-security-policy"]
    assert text_of(next(all_of(tree(answer.content), "h1"))) == "This server only shows"


def test_an_error_page_links_to_the_style_and_the_books_from_any_depth(client):
    for path, up in (("/x", ""), ("/a/b", "../"), ("/a/b/c/", "../../../")):
        root = tree(client.get(path).content)
        assert next(all_of(root, "link")).get("href") == f"{up}static/page.css"
        assert next(all_of(root, "h1")).text == "There is no such page"


def test_a_fault_is_a_page_that_tells_no_secret():
    def broken(path: str) -> None:
        raise RuntimeError(f"secret {path}")

    answer = Client(application(broken)).get("/x")
    assert isinstance(answer.raised, RuntimeError)  # the server's log tells it
    assert answer.status_code == 500
    assert b"secret" not in answer.content
    assert answer.headers["content-security-policy"] == HEADERS["content-security-policy"]
    assert text_of(next(all_of(tree(answer.content), "h1"))) == "Something went wrong"


@pytest.mark.parametrize(
    ("error", "status"), [(UnreachableError("https://key@node"), 503), (LedgerError("x"), 500)]
)
def test_a_node_that_is_away_is_told_apart_and_its_address_is_not_told(error, status):
    def away(path: str) -> None:
        raise error

    answer = Client(application(away)).get("/")
    assert answer.status_code == status
    assert b"key@node" not in answer.content
    assert ("retry-after" in answer.headers) == (status == 503)


def test_an_address_is_found_however_it_is_written(client, scene):
    payee = scene.holder
    for mixed in (checksum_address(payee), checksum_address(payee) + ".html", payee):
        answer = client.get(f"/holders/{mixed}")
        assert (answer.status_code, answer.headers["location"]) == (308, f"/holders/{payee}.html")
    assert client.get(f"/holders/{payee}.html").status_code == 200
    assert client.get("/holders/0x" + "ab" * 20 + ".html").status_code == 404


def test_a_page_that_is_known_is_not_sent_again(client):
    first = client.get("/licences/1.html")
    again = client.get("/licences/1.html", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert client.get("/licences/2.html").headers["etag"] != first.headers["etag"]


# ---- the store of files


def test_a_file_is_served_by_either_hash_as_text_that_nothing_runs(client, session):
    content = b"<!doctype html><script>alert(1)</script>"
    name = hostile(session.files, content)
    for one in (name, "0x" + name, hashlib.sha256(content).hexdigest()):
        answer = client.get(f"/files/{one}")
        assert answer.content == content
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == FILE_POLICY
    for other in (b"\xff\xd8\xff\xe0jpeg", b"text\0with nul"):
        answer = client.get(f"/files/{hostile(session.files, other)}")
        assert answer.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize(
    "name",
    [
        "../chain/node.json",
        "..%2fchain%2fnode.json",
        "%2e%2e/chain/node.json",
        "....//chain",
        "sha256",
        "sha256/" + "0" * 64,
        "",
        "/",
        "0" * 63,
        "0" * 65,
        "G" * 64,
        "/etc/passwd",
        "//etc/passwd",
        "%00" + "0" * 64,
        "0" * 64 + "%00.html",
        "usage/../../chain/node.json",
        "usage/" + "0" * 64 + "/../../../chain/node.json",
        "usage/" + "0" * 64 + "/report.json",
    ],
)
def test_the_store_serves_nothing_but_files_by_their_hash(client, name):
    answer = client.get(f"/files/{name}")
    assert answer.status_code == 404


def test_a_file_that_was_changed_is_not_served(client, session, scene):
    name = hostile(session.files, b"first")
    path = scene.folder / "home" / "files" / name
    path.write_bytes(b"other")
    assert client.get(f"/files/{name}").status_code == 404
    path.unlink()


def test_another_ledger_reads_the_store_by_url(client, session, monkeypatch):
    name = hostile(session.files, b"shared")

    def get(url: str, **_: object) -> Answer:
        return client.get(url.removeprefix("http://page"))

    monkeypatch.setattr(httpx, "get", get)
    assert FileStore("http://page/files").get(bytes.fromhex(name)) == b"shared"
    with pytest.raises(LedgerError):
        FileStore("http://page/files").get(keccak256(b"nothing"))


def test_a_usage_report_is_served_file_by_file_as_its_description_names_them(client, scene):
    digest = "ab" * 32
    folder = scene.folder / "home" / "files" / "usage" / digest
    folder.mkdir(parents=True)
    tables = {"usage.parquet": {}, "../secret": {}, "odd name": {}}
    (folder / "report.json").write_text(json.dumps({"usage_report": "1", "tables": tables}))
    for one in ("usage.parquet", "secret", "odd name", "unnamed.parquet"):
        (folder / one).write_bytes(b"PAR1")
    try:
        assert client.get(f"/files/usage/{digest}/report.json").status_code == 200
        answer = client.get(f"/files/usage/{digest}/usage.parquet")
        assert (answer.content, answer.headers["content-type"]) == (b"PAR1", "application/octet-stream")
        assert answer.headers["content-security-policy"] == FILE_POLICY
        for one in ("unnamed.parquet", "odd name", "../report.json", "report.json/x"):
            assert client.get(f"/files/usage/{digest}/{one}").status_code == 404
        (folder / "usage.parquet").unlink()
        (folder / "usage.parquet").symlink_to(scene.folder / "home" / "chain" / "node.json")
        assert client.get(f"/files/usage/{digest}/usage.parquet").status_code == 404
    finally:
        for one in folder.iterdir():
            one.unlink()
        folder.rmdir()


# ---- the chain goes on


def block_of(client: Client) -> int:
    """The block that a page tells of."""
    return int(next(all_of(tree(client.get("/licences/1.html").content), "main")).get("data-block"))


def test_pages_follow_the_chain_at_most_once_a_second(client, clock, scene):
    before = block_of(client)
    scene.do("report", "pay", scene.licence, 3, "--amount", "1", account=LICENSEE)
    assert block_of(client) == before
    clock.tick()
    assert block_of(client) == int(scene.rpc.call("eth_blockNumber"), 16) > before


def test_a_ledger_that_takes_long_to_read_is_read_behind_while_the_last_books_stay(
    client, live, clock, scene
):
    before = block_of(client)
    live._took = 60.0
    scene.do("report", "pay", scene.licence, 3, "--amount", "1", account=LICENSEE)
    clock.tick()
    assert block_of(client) == before
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and thread.daemon:
            thread.join(60)
    assert block_of(client) > before


def test_while_the_node_is_away_the_last_books_stay_and_say_when_they_are_of(
    client, live, clock, monkeypatch
):
    first = client.get("/")

    def away(*_: object) -> None:
        raise UnreachableError("away")

    with monkeypatch.context() as patch:
        patch.setattr(type(live._session.rpc), "call", away)
        clock.tick()
        again = client.get("/")
    assert (again.status_code, again.content) == (200, first.content)


def test_names_that_nobody_has_do_not_drive_out_the_pages(client, live):
    client.get("/licences/1.html")
    for number in range(200):
        assert client.get(f"/nothing/{number}").status_code == 404
    assert list(live._made) == ["licences/1.html"]


# ---- the process


@contextmanager
def serving(scene, *more: str):
    """A real process: what it printed first, and the process."""
    line = [sys.executable, "-m", "ledger.cli", "serve", "--json", "--rpc", scene.node.url, *more]
    line += ["--home", str(scene.folder / "home")]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield json.loads(process.stdout.readline()), process
        finally:
            process.kill()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_process_serves_on_a_free_port_of_this_machine_and_ends_when_it_is_told(scene, how):
    with serving(scene) as (told, process):
        check_schema("envelope", told)
        check_schema("serve", told["data"])
        data = told["data"]
        assert data["url"].startswith("http://127.0.0.1:")
        answer = httpx.get(data["url"])
        assert answer.status_code == 200
        assert "The books" in answer.text
        assert answer.headers["content-security-policy"] == HEADERS["content-security-policy"]
        assert "server" not in answer.headers
        module = httpx.get(data["url"] + "static/verifier.js").content
        assert data["module"] == "sha384-" + b64encode(sha384(module).digest()).decode()
        assert httpx.get(data["url"] + "..%2f..%2fetc%2fpasswd").status_code == 404
        os.kill(process.pid, how)
        assert process.wait(30) == 0
        assert process.stderr is not None
        assert "Traceback" not in process.stderr.read()


def test_a_process_ends_by_itself_when_its_time_is_over(scene):
    with serving(scene, "--for", "0.5") as (_, process):
        assert process.wait(30) == 0


def test_a_port_that_is_taken_is_told(scene, capsys):
    with serving(scene) as (told, _):
        port = told["data"]["url"].rstrip("/").rpartition(":")[2]
        code = main(["serve", "--port", port, "--rpc", scene.node.url, "--home", str(scene.folder / "home")])
        assert code == 2
        assert "cannot be listened on" in capsys.readouterr().err


def test_without_a_node_nothing_is_served(tmp_path, capsys):
    assert main(["serve", "--rpc", "http://127.0.0.1:9", "--home", str(tmp_path)]) == 3
    assert "Remedy" in capsys.readouterr().err
