"""What the page may do: nothing from elsewhere, no cookie, no script but its own, whatever the names are."""

from __future__ import annotations

import base64
import gzip
import hashlib
import re
from importlib import resources

import httpx
import pytest
from _browser_pages import NAMES, allowed, path_of
from _forge import with_raw
from _stage import HOSTILE, NAMED

MODULE = resources.files("ledger") / "web" / "static" / "verifier.js"
STRICT = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
}


def policy_of(text: str) -> dict[str, list[str]]:
    return {one.split()[0]: one.split()[1:] for one in text.split(";")}


@pytest.mark.parametrize("name", NAMES)
def test_headers_are_strict(stage, served, name):
    answer = httpx.get(served.url + path_of(name, stage))
    policy = policy_of(answer.headers["content-security-policy"])
    assert STRICT.items() <= policy.items()
    assert policy["frame-ancestors"] == ["'none'"]
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    (meta,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', answer.text)
    told = policy_of(meta.replace("&#39;", "'"))
    assert STRICT.items() <= told.items()
    assert not re.search(
        r"<[^>]+\s(?:style|on\w+)=", re.sub(r"<svg.*?</svg>", "", answer.text, flags=re.DOTALL)
    )


@pytest.mark.parametrize("name", NAMES)
def test_nothing_from_elsewhere_is_asked_for(visit, stage, served, name):
    """All requests go to the page's own server; the rest is checked at the end of every test here."""
    seen = visit(served.url + path_of(name, stage), allow=allowed(name))
    assert seen.asked() == {served.origin}
    paths = {one.removeprefix(served.url) for one in seen.requests if one.startswith("http")}
    assert paths <= {path_of(name, stage), "static/page.css", "static/verifier.js"}


def test_the_policy_is_in_force(visit, served):
    """Were a script to get into a page, it would not run, and these tests would see it."""
    seen = visit(
        served.url, allow=("Content Security Policy", "script-src", "style-src", "connect-src", "img-src")
    )
    seen.page.evaluate(
        """() => {
          const script = document.createElement("script");
          script.textContent = "window.ran = true";
          document.body.append(script);
          const image = new Image();
          image.src = "http://127.0.0.1:9/x.png";
          document.body.append(image);
        }"""
    )
    # The violations are noted in a later task than the attempt.
    seen.page.wait_for_timeout(0)
    assert seen.page.evaluate("window.ran") is None
    told = seen.page.evaluate("window.__violations")
    assert any(one.startswith("script-src") for one in told), told
    assert any(one.startswith("img-src") for one in told), told
    assert seen.asked() == {served.origin}


# ---- names that are scripts


@pytest.mark.parametrize("how", ["served", "file"])
@pytest.mark.parametrize("name", ["index", "holders", "names", "hostile licence"])
def test_names_that_are_scripts_are_text(visit, stage, served, built, name, how):
    """Nothing runs, nothing is asked for, nothing breaks: each is read as it was written."""
    base = served.url if how == "served" else built.as_uri() + "/"
    seen = visit(base + path_of(name, stage))
    if seen.page.locator("#verify").count():
        assert seen.prove(stage.anchor()) == "verified"
    text = seen.page.locator("main").inner_text()
    wanted = {
        "index": ["title", "holder"],
        "holders": ["holder"],
        "names": ["holder", "title", "song"],
        "hostile licence": ["title", "law", "holder"],
    }[name]
    for one in wanted:
        assert HOSTILE[one] in text, (one, text[:2000])
    assert "49" not in seen.texts("bdi")  # {{7*7}}
    assert seen.page.locator("main img, main script, main b, main svg[onload]").count() == 0
    assert seen.page.evaluate("document.querySelectorAll('[onload],[onerror],[onclick]').length") == 0
    assert seen.dialogs == []


def test_the_files_of_hostile_names_run_nothing(visit, stage, served):
    """The terms document is downloaded or shown, never run."""
    page = httpx.get(f"{served.url}licences/{stage.named}.html").text
    links = set(re.findall(r'href="\.\./(files/[0-9a-f]{64})"', page))
    assert links
    for one in links:
        answer = httpx.get(served.url + one)
        assert "sandbox" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "html" not in answer.headers["content-type"]


def test_evidence_that_is_a_script_is_text(visit, stage, served, built):
    """What stands in the evidence is shown as text where it is wrong."""
    path = built / f"holders/{NAMED}.html"
    line = b'{"format":"<img src=x onerror=alert(1)>","version":"<script>alert(1)</script>"}\n'
    lying = path.with_name("script.html")
    lying.write_text(with_raw(path.read_text(), base64.b64encode(gzip.compress(line)).decode()))
    seen = visit(lying.as_uri())
    assert seen.prove(stage.anchor()) == "differs"
    assert seen.page.locator("#prove img, #prove script").count() == 0


def test_an_anchor_that_is_a_script_is_text(visit, served):
    seen = visit(served.url)
    assert seen.prove("<img src=x onerror=alert(1)>") == "differs"
    assert seen.page.locator("#prove img").count() == 0
    assert "<img src=x onerror=alert(1)>" in seen.texts("#steps")[0]


@pytest.mark.parametrize(
    "node", ["not a url", "ftp://127.0.0.1/", "javascript:alert(1)", "http://192.0.2.1:1/"]
)
def test_an_address_that_is_no_node(visit, stage, served, node):
    seen = visit(
        served.url,
        origins=["ftp://127.0.0.1"],
        allow=("connect-src", "Content Security Policy", "Fetch API", "URL"),
    )
    page = seen.page
    page.fill("#rpc", node)
    if page.evaluate("document.querySelector('#rpc').validity.valid"):
        assert seen.prove(stage.anchor(), node) == "unreachable"
        assert "could not be asked" in seen.text("#verdict")
    assert "verified" not in seen.states()
    assert seen.asked() <= {served.origin, "ftp://127.0.0.1"}


# ---- the module


def test_the_module_is_small_and_is_the_one_that_was_named(served):
    """At most 120 kB gzip; what is served is what the command line named by its hash."""
    content = MODULE.read_bytes()
    assert len(gzip.compress(content, 9)) <= 120_000
    got = httpx.get(served.url + "static/verifier.js")
    assert got.content == content
    named = "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()
    assert served.data["module"] == named
    assert b"eval(" not in content
    assert b"innerHTML" not in content
    assert not re.search(rb"https?://(?!www\.w3\.org)", content)
