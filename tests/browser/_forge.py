"""Pages that lie: what a page carries and shows, changed by somebody who does not have the keys."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable
from typing import Any

_BUNDLE = re.compile(r'(<script type="application/x-ndjson" id="bundle"[^>]*>)([^<]*)(</script>)')
_FIGURE = re.compile(r'<data class="figure" value="(-?\d+)" data-proof="([^"]+)">(.*?)</data>', re.DOTALL)

Lines = list[dict[str, Any]]


def bundle_of(page: str) -> Lines:
    """The lines of the page's evidence."""
    held = _BUNDLE.search(page)
    assert held, "the page carries no bundle"
    return [json.loads(one) for one in gzip.decompress(base64.b64decode(held[2])).splitlines()]


def with_raw(page: str, text: str) -> str:
    """The page with something else where its evidence was."""
    forged, count = _BUNDLE.subn(lambda held: held[1] + text + held[3], page)
    assert count == 1
    return forged


def with_bundle(page: str, lines: Lines) -> str:
    """The page with other evidence."""
    content = b"".join(json.dumps(one, separators=(",", ":")).encode() + b"\n" for one in lines)
    return with_raw(page, base64.b64encode(gzip.compress(content)).decode())


def changed(change: Callable[[Lines], None]) -> Callable[[str], str]:
    """A lie about the evidence, which changes its lines."""

    def forge(page: str) -> str:
        lines = bundle_of(page)
        before = json.dumps(lines)
        change(lines)
        assert json.dumps(lines) != before
        return with_bundle(page, lines)

    return forge


def entries(lines: Lines, contract: str, topic: str) -> list[list[Any]]:
    """The entries of an event, in order."""
    found = [one["entry"] for one in lines if "entry" in one]
    return [one for one in found if one[0] == contract and one[3] == topic]


def first_figure(page: str, key: str) -> re.Match[str]:
    """The first figure whose key has this in it."""
    return next(one for one in _FIGURE.finditer(page) if key in one[2])


def with_figure(page: str, key: str, make: Callable[[re.Match[str]], str]) -> str:
    """The page with another figure in the place of the first with such a key."""
    held = first_figure(page, key)
    return page[: held.start()] + make(held) + page[held.end() :]


def bumped(held: re.Match[str]) -> str:
    """A figure that is one unit higher in what is read and in what is compared."""
    value, key, inner = held.groups()
    digits = re.search(r"(\d)(\D*)$", inner)
    assert digits
    assert digits[1] != "9"
    text = inner[: digits.start()] + str(int(digits[1]) + 1) + digits[2]
    return f'<data class="figure" value="{int(value) + 1}" data-proof="{key}">{text}</data>'


def with_keys_of(page: str, other: str) -> str:
    """The page with the figures' keys, the claims and the evidence of another one of the same form."""
    keys = iter(_FIGURE.finditer(other))
    page = _FIGURE.sub(lambda held: held[0].replace(held[2], next(keys)[2]), page)
    held = _BUNDLE.search(other)
    assert held
    return with_raw(page, held[2])
