"""Templates to bytes. Every expression is escaped and rid of control and direction characters, whatever it holds."""

from __future__ import annotations

import base64
import gzip
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ledger.domain.text import clean
from ledger.web.figures import broken, common_unit, machine, moment

#: What pages may do: nothing from elsewhere, no script in the page; a holder may ask a node of their own.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self' https: http://127.0.0.1:* http://localhost:*; base-uri 'none'; form-action 'none'"
)
_ENDS = 6


def finalised(value: object) -> object:
    """What is put into a page: markup of our own as it is, all else as text without control characters."""
    if isinstance(value, Markup | int):
        return value
    return clean(value)


def in_line(text: str) -> str:
    """Lines made one: a record names a model by id and version, a line each."""
    return " ".join(text.split())


def drawn(svg: str) -> Markup:
    """A plot of ledger.report.plots, which escapes every name in it."""
    return Markup(clean(svg))


def shorten(text: str) -> str:
    """The start and the end of an address or hash."""
    return f"{text[: _ENDS + 2]}…{text[-_ENDS:]}" if len(text) > 2 * _ENDS + 4 else text


@cache
def environment() -> Environment:
    """The templates of this package; a name that is not given is a fault."""
    made = Environment(
        loader=PackageLoader("ledger.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=False,
        lstrip_blocks=False,
        finalize=finalised,
        keep_trailing_newline=True,
    )
    made.filters |= {
        "shorten": shorten,
        "moment": moment,
        "machine": machine,
        "trusted": drawn,
        "in_line": in_line,
        "broken": broken,
        "common_unit": common_unit,
    }
    return made


def render(template: str, **values: Any) -> bytes:
    """A page, UTF-8. `root`: the way from the page to the top, such as `../`."""
    values = {"policy": POLICY, "bundle": "", "payee": "", "s": None, "here": "", "module": False, **values}
    return environment().get_template(template).render(values).encode("utf-8")


def packed(content: bytes) -> Markup:
    """A packed bundle as the page holds it: base64, so that no character of it can end its element."""
    return Markup(base64.b64encode(content).decode("ascii"))


def zipped(content: bytes) -> bytes:
    """Packed, without a time, so that the same content gives the same bytes."""
    return gzip.compress(content, 9, mtime=0)


def asset(name: str) -> bytes | None:
    """A file of ledger/web/static, None where the package has none of that name."""
    held = resources.files("ledger.web").joinpath("static", name)
    return held.read_bytes() if held.is_file() else None
