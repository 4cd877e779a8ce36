"""Documentation is tested: the commands of every page run, excerpts are what is printed, links lead on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from _pages import DOCS, ROOT, RUN, anchors, blocks, commands, holds, links, name_of, pages, run_page

PAGES = pages()
#: Targets of make would run this suite within itself: that they exist is what is checked.
_MAKE = re.compile(r"^make ([a-z-]+)$")
_SET_UP = re.compile(r"^(make [a-z-]+|git clone .*|cd .*|export PATH=.*|\. \.venv/bin/activate)$")
_MACHINE = re.compile(
    r"(?<![\w.])/(?:home|root|tmp|Users|work|opt|usr|var)/|registry\.npmjs|pypi\.org|pythonhosted|127\.0\.0\.1:\d+"
)


def _runnable(page: Path) -> list:
    found = commands(page.read_text(encoding="utf-8"))
    return [one for one in found if not all(map(_SET_UP.match, one.text.splitlines()))]


@pytest.mark.parametrize("page", [page for page in PAGES if _runnable(page)], ids=name_of)
def test_the_commands_of_a_page_run_in_order(page, tmp_path):
    for ran in run_page(_runnable(page), tmp_path):
        place = f"{name_of(page)}, line {ran.command.line}: {ran.command.text.strip()}"
        assert ran.exit_code == ran.command.exit_code, f"{place}\nexit code {ran.exit_code}\n{ran.printed}"
        assert holds(ran.command.expected, ran.printed), (
            f"{place}\nprints\n{ran.printed}\nand not\n" + "\n".join(ran.command.expected)
        )


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_targets_of_make_exist(page):
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text(encoding="utf-8")
    named = {
        found[1]
        for block in blocks(text)
        if block.language in RUN
        for line in block.text.splitlines()
        if (found := _MAKE.match(line.removeprefix("$ ").strip()))
    }
    named |= set(re.findall(r"`make ([a-z-]+)[^`]*`", text))
    assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page):
    for target in links(page.read_text(encoding="utf-8")):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), f"{target} does not exist"
        assert ROOT in (found, *found.parents), f"{target} leads out of the tree"
        if anchor:
            assert anchor in anchors(found.read_text(encoding="utf-8")), f"{target}: there is no such heading"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_place_of_one_machine_is_named(page):
    assert not (found := _MACHINE.findall(page.read_text(encoding="utf-8"))), found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_blocks_have_a_language(page):
    for block in blocks(page.read_text(encoding="utf-8")):
        assert block.language, f"line {block.line}: say what the block is, such as ```text"


def test_every_page_is_linked_from_another():
    reached = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in PAGES
        for target in links(page.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", target)
    }
    folders = {path for path in reached if path.is_dir()}
    alone = [page for page in DOCS.rglob("*.md") if page not in reached and page.parent not in folders]
    assert not alone


# ---- the reader of pages itself


PAGE = """\
# A title: with `code`

[here](other.md#part) ![no](picture.png)

```sh
one
```

```console exit=5
$ two \\
  more
a … c 10:20:30
…
last
$ three
```
"""


def test_commands_and_their_excerpts_are_read():
    one, two, three = commands(PAGE)
    assert (one.line, one.text, one.expected, one.exit_code) == (6, "one\n", [], 0)
    assert (two.line, two.text, two.exit_code) == (10, "two \\\n  more\n", 0)
    assert two.expected == ["a … c 10:20:30", "…", "last"]
    assert (three.text, three.exit_code) == ("three\n", 5)
    assert links(PAGE) == ["other.md#part"]
    assert anchors(PAGE) == {"a-title-with-code"}


@pytest.mark.parametrize(
    ("printed", "so"),
    [
        ("before\na b  c 23:59:59\n\nlast\nafter", True),
        ("a b c 11:11:11\nx\ny\nlast", True),
        ("a b d 11:11:11\nlast", False),
        ("last\na b c 11:11:11", False),
        ("", False),
    ],
)
def test_excerpts_are_compared(printed, so):
    assert holds(["a … c 10:20:30", "…", "last"], printed) is so


def test_a_page_runs_in_one_shell_and_stops_where_it_is_not_as_told(tmp_path):
    found = commands("```sh\nX=1\n```\n```console\n$ echo $X\n1\n$ false\n$ echo never\n```\n")
    ran = run_page(found, tmp_path)
    assert [one.exit_code for one in ran] == [0, 0, 1, None]
    assert ran[1].printed == "1\n"
