"""Pages as tests read them: a strict parser, and what is in the tree."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import html5lib

HTML = "{http://www.w3.org/1999/xhtml}"


def tree(body: bytes) -> Any:
    """The page's tree; the slightest fault of its form is an error."""
    return html5lib.HTMLParser(strict=True).parse(body.decode("utf-8"))


def all_of(root: Any, name: str) -> Iterator[Any]:
    """The elements of a name, in order."""
    return root.iter(HTML + name)


def text_of(element: Any) -> str:
    """Its text, spaces made one."""
    return " ".join("".join(element.itertext()).split())


def by_id(root: Any, name: str) -> Any:
    """The element of an id."""
    return next(one for one in root.iter() if one.get("id") == name)
