"""A works manifest out of real metadata: one work per Hugging Face repository named in ai_datasets.csv.

Source: Data Provenance Initiative, Data-Provenance-Collection (Apache-2.0), see ledger/data/catalogue/SOURCE.md.
No licence with the named institutions exists. Assumed for the demonstration: every work counts the same, its creators
share equally, and each payee's address is made from the creator's name.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ledger.domain.canonical import keccak256

#: Names of one institution in several spellings: nobody is paid under them until the licensor has matched them.
NAME_VARIANTS: tuple[tuple[str, ...], ...] = (
    ("Meta", "Facebook AI Research"),
    ("Google", "Google Research"),
    ("Microsoft", "Microsoft Research"),
)

_HOSTS = {"huggingface.co", "www.huggingface.co", "hf.co"}
_PART = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\Z")
#: Second parts of a URL that belong to the site, not to a repository's name.
_PAGES = {"viewer", "blob", "tree", "resolve", "discussions", "raw"}


@dataclass(slots=True)
class Repository:
    """One work: its id `owner/name` (or `name`), the most downloads of its rows, the union of their creators."""

    id: str
    downloads: int = 0
    creators: set[str] = field(default_factory=set)
    rows: int = 0


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A row of the source that gives no unit to anybody, and why."""

    line: int
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Datasets:
    """The works of the source, by falling downloads, and what could not be matched.

    `outside` are repositories of which no row names a creator: they are used, and are in no catalogue.
    """

    works: tuple[Repository, ...]
    unmatched: tuple[Unmatched, ...]
    outside: tuple[Repository, ...] = ()


def repository_of(url: str) -> str | None:
    """The repository that a URL of Hugging Face names, without `/viewer/…` and the like; None where it names none."""
    text = url.strip()
    if not text or any(letter.isspace() for letter in text):
        return None
    parts = urlsplit(text if "//" in text else f"https://{text}")
    path = [part for part in parts.path.split("/") if part]
    if parts.netloc.lower() not in _HOSTS or len(path) < 2 or path[0] != "datasets":
        return None
    names = path[1:2] if len(path) == 2 or path[2] in _PAGES else path[1:3]
    return "/".join(names) if all(_PART.match(name) for name in names) else None


def read_datasets(text: str) -> Datasets:
    """Reads ai_datasets.csv. Rows without a repository, without a creator, or with a repeated id are unmatched."""
    found: dict[str, Repository] = {}
    outside: dict[str, Repository] = {}
    unmatched: list[Unmatched] = []
    seen: dict[str, int] = {}
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    for row in reader:
        line, name = reader.line_num, row["dataset_id"]
        first = seen.setdefault(name, line)
        repository = repository_of(row["hf_url"])
        creators = {" ".join(part.split()) for part in row["creators"].split("|")} - {""}
        if first != line:
            unmatched.append(Unmatched(line, name, f"its id stands at line {first} too"))
        elif repository is None:
            unmatched.append(Unmatched(line, name, "it names no repository"))
        elif not creators:
            unmatched.append(Unmatched(line, name, "it names no creator"))
            _add(outside, repository, creators, row["hf_downloads"])
        else:
            _add(found, repository, creators, row["hf_downloads"])
    nobodys = (work for work in outside.values() if work.id not in found)
    return Datasets(_sorted(found.values()), tuple(unmatched), _sorted(nobodys))


def _add(works: dict[str, Repository], repository: str, creators: set[str], downloads: str) -> None:
    """Adds a row to its work; the downloads of several rows are the same ones, so the most of them count once."""
    work = works.setdefault(repository, Repository(repository))
    work.rows += 1
    work.creators |= creators
    work.downloads = max(work.downloads, _count(downloads))


def _sorted(works: Iterable[Repository]) -> tuple[Repository, ...]:
    return tuple(sorted(works, key=lambda work: (-work.downloads, work.id)))


def _count(cell: str) -> int:
    return int(cell.split(".", maxsplit=1)[0]) if cell.strip() else 0


def payee_of(name: str) -> str:
    """The test address of a creator: an address that nobody has a key of."""
    return "0x" + keccak256(f"licence ledger demonstration payee: {name}".encode())[-20:].hex()


def unmatched_names() -> frozenset[str]:
    """All spellings that are not matched yet."""
    return frozenset(name for group in NAME_VARIANTS for name in group)


def manifest_document(
    works: Iterable[Repository],
    *,
    payees: Mapping[str, str] | None = None,
    matched: Mapping[str, str] | None = None,
    title: str = "Open data sets for AI training (demonstration)",
) -> dict[str, Any]:
    """The manifest as ledger.domain.manifest_file reads it.

    Args:
        works: The works; each counts the same.
        payees: Addresses for some creators, in place of the made ones.
        matched: Other name of a creator → the name whose payee it shares; such creators are no longer unmatched.
        title: The catalogue's title.

    """
    known, same = payees or {}, matched or {}
    waiting = unmatched_names() - set(same) - set(same.values())

    def shares(work: Repository) -> list[dict[str, Any]]:
        # Each keeps the name that the source gives it, so that what was held under that name is found again; where
        # a work has two names of one payee, its share stands under the common one.
        names: dict[str, str] = {}
        for name in sorted(work.creators):
            one = same.get(name, name)
            names[one] = one if one in names else name
        return [
            {
                "holder": name,
                "payee": None if name in waiting else known.get(name, payee_of(one)),
                "share": f"1/{len(names)}" if len(names) > 1 else 1_000_000,
            }
            for one, name in sorted(names.items(), key=lambda pair: pair[1])
        ]

    return {
        "manifest": "1",
        "title": title,
        "works": [{"id": work.id, "title": work.id, "shares": shares(work)} for work in works],
    }
