"""Every page and file of the site by its path, made when it is asked for: served, or written by a build."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from hashlib import sha384
from pathlib import Path

from markupsafe import Markup

from ledger.domain.address import checksum_address
from ledger.domain.errors import LedgerError, ValueRefused
from ledger.domain.text import clean
from ledger.report.pdf import to_pdf
from ledger.report.statement import Statement
from ledger.report.tables import to_csv, to_json
from ledger.web import render
from ledger.web.books_view import ROWS_TOGETHER, books_view, holder_lines
from ledger.web.files import USAGE, Files, media_type, named_files, named_usage
from ledger.web.holder_view import holder_view
from ledger.web.licence_view import licence_view
from ledger.web.snapshot import Snapshot

HTML = "text/html; charset=utf-8"
_TYPES = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
    "gz": "application/gzip",
}
#: Forms of the statements that are linked.
FORMATS = ("csv", "json", "pdf")
STATIC = ("page.css", "verifier.js")
_HOLDER = re.compile(
    r"holders/(0x[0-9a-f]{40})(?:\.html|/(statement\.(?:csv|json|pdf)|bundle\.jsonl\.gz))", re.ASCII
)
_LICENCE = re.compile(r"licences/([1-9][0-9]{0,17})\.html", re.ASCII)
_USAGE = re.compile(rf"files/{USAGE}/([0-9a-f]{{64}})/([^/]+)", re.ASCII)
_STATEMENTS: dict[str, Callable[[Statement], bytes]] = {
    "statement.csv": to_csv,
    "statement.json": to_json,
    "statement.pdf": to_pdf,
}
_BUNDLE = "bundle.jsonl.gz"


@dataclass(frozen=True, slots=True)
class Content:
    """What stands at a path: bytes, or a file of the disk that may be large."""

    body: bytes
    media_type: str
    file: Path | None = None


#: Makes the evidence of a page: of one holder, or None for what belongs to all.
Bundles = Callable[[str | None], bytes]


class Site:
    """All pages of one snapshot."""

    def __init__(
        self,
        snapshot: Snapshot,
        files: Files | None = None,
        bundles: Bundles | None = None,
        *,
        only: Sequence[str] | None = None,
        formats: Sequence[str] = FORMATS,
    ) -> None:
        """`only`: holders that have a page (default: all). `formats`: of the statements. Raises ValueRefused."""
        self.snapshot = snapshot
        self.formats = tuple(formats)
        self.holders = list(snapshot.holders)
        if only is not None:
            for payee in only:
                if payee not in snapshot.places:
                    raise ValueRefused(
                        f"{checksum_address(payee)} is a payee of no published split.",
                        remedy="See the payees of a catalogue: `licence-ledger catalogue show NUMBER --payees`.",
                    )
            self.holders = [one for one in self.holders if one in only]
        self._paged = frozenset(self.holders)
        self.files = files or Files(snapshot.session.files)
        self._bundles = bundles
        self._common = ""
        self._last: tuple[str, bytes] | None = None

    # ---- what there is

    def paths(self) -> Iterator[str]:
        """Every path, the first page first."""
        yield "index.html"
        yield from (f"static/{name}" for name in STATIC if render.asset(name) is not None)
        yield "holders/index.html"
        for number in self.snapshot.books.licences.grants:
            yield f"licences/{number}.html"
        for payee in self.holders:
            yield f"holders/{payee}.html"
            yield from (f"holders/{payee}/statement.{one}" for one in self.formats)
            if self._bundles is not None:
                yield f"holders/{payee}/{_BUNDLE}"
        for digest in named_files(self.snapshot):
            if self.files.kept("0x" + digest.hex()):
                yield f"files/{digest.hex()}"
        for usage in named_usage(self.snapshot):
            yield from (f"files/{USAGE}/{usage}/{name}" for name in self.files.usage_names(usage))

    def count(self) -> int:
        """About how many files there are; those of the store are counted as the entries name them."""
        each = 1 + len(self.formats) + (self._bundles is not None)
        others = 4 + len(self.snapshot.books.licences.grants) + sum(1 for _ in named_files(self.snapshot))
        return others + each * len(self.holders)

    def get(self, path: str) -> Content | None:
        """What stands at a path; None where nothing does. Raises LedgerError."""
        if path in ("", "index.html"):
            return self._index()
        if path == "holders/index.html":
            return self._holders()
        if found := _HOLDER.fullmatch(path):
            payee, file = found[1], found[2]
            if payee not in self._paged:
                return None
            return self._holder_file(payee, file) if file else self._holder(payee)
        if found := _LICENCE.fullmatch(path):
            number = int(found[1])
            return self._licence(number) if number in self.snapshot.books.licences.grants else None
        if found := _USAGE.fullmatch(path):
            file = self.files.usage(found[1], found[2])
            return Content(b"", "application/octet-stream", file) if file is not None else None
        folder, _, name = path.partition("/")
        if folder == "files":
            content = self.files.get(name)
            return Content(content, media_type(content)) if content is not None else None
        if folder == "static" and name in STATIC:
            content = render.asset(name)
            return Content(content, _TYPES[name.rpartition(".")[2]]) if content is not None else None
        return None

    def begun(self, path: str) -> Callable[[], Content | None]:
        """What stands at a path, as a call that finishes it: for a PDF, which takes longest, on any thread."""
        found = _HOLDER.fullmatch(path)
        if found and found[2] == "statement.pdf" and found[1] in self._paged:
            return partial(self._statement_file, found[2], self.snapshot.statement(found[1]))
        content = self.get(path)
        return lambda: content

    # ---- pages

    def _page(self, template: str, path: str, payee: str | None = None, **values: object) -> Content:
        bundle = Markup("")
        if self._bundles is not None and values.pop("proved", True):
            bundle = render.packed(self._evidence(payee)) if payee else self._shared()
        body = render.render(
            template,
            s=self.snapshot,
            root="../" * path.count("/"),
            module=has_module(),
            files=self.files,
            payee=payee or "",
            bundle=bundle,
            bundled=self._bundles is not None,
            formats=self.formats,
            paged=self._paged,
            **values,
        )
        return Content(body, HTML)

    def _evidence(self, payee: str) -> bytes:
        """The packed bundle of a holder: the page and the file beside it are made one after the other."""
        if self._bundles is None:
            raise LedgerError("This site carries no bundles.")
        if self._last is None or self._last[0] != payee:
            self._last = payee, render.zipped(self._bundles(payee))
        return self._last[1]

    def _shared(self) -> Markup:
        if not self._common and self._bundles is not None:
            self._common = render.packed(render.zipped(self._bundles(None)))
        return Markup(self._common)

    def _index(self) -> Content:
        view = books_view(self.snapshot)
        return self._page("index.html", "index.html", v=view, holders=view.holders, caption="", here="index")

    def _holders(self) -> Content:
        lines = holder_lines(self.snapshot)
        tables = [lines[start : start + ROWS_TOGETHER] for start in range(0, len(lines), ROWS_TOGETHER)]
        return self._page(
            "holders.html",
            "holders/index.html",
            tables=tables,
            count=len(lines),
            together=ROWS_TOGETHER,
            here="holders",
            proved=False,
        )

    def _holder(self, payee: str) -> Content:
        view = holder_view(self.snapshot, payee)
        splits = self.snapshot.session.ledger.splits.address
        return self._page("holder.html", f"holders/{payee}.html", payee, v=view, splits=splits)

    def _holder_file(self, payee: str, name: str) -> Content:
        if name == _BUNDLE:
            return Content(self._evidence(payee), _TYPES["gz"])
        return self._statement_file(name, self.snapshot.statement(payee))

    @staticmethod
    def _statement_file(name: str, statement: Statement) -> Content:
        return Content(_STATEMENTS[name](statement), _TYPES[name.rpartition(".")[2]])

    def _licence(self, number: int) -> Content:
        view = licence_view(self.snapshot, number)
        return self._page("licence.html", f"licences/{number}.html", v=view)


def formats_of(text: str) -> tuple[str, ...]:
    """The forms of statements asked for; "none" is none. Raises ValueRefused."""
    chosen = tuple(dict.fromkeys(one.strip().lower() for one in text.split(",") if one.strip()))
    if chosen in ((), ("none",)):
        return ()
    for one in chosen:
        if one not in FORMATS:
            raise ValueRefused(
                f"There is no format {clean(one)!r}.",
                "--format",
                remedy=f"Formats are {', '.join(FORMATS)}, divided by commas; or none.",
            )
    return chosen


def has_module() -> bool:
    """Whether this package carries the verifier for browsers."""
    return render.asset("verifier.js") is not None


def module_hash() -> str:
    """The hash of the verifier as `integrity` attributes write it; empty where the package has none."""
    content = render.asset("verifier.js")
    if content is None:
        return ""
    import base64

    return "sha384-" + base64.b64encode(sha384(content).digest()).decode("ascii")


def error_page(title: str, text: str, root: str) -> bytes:
    """A page that says what is wrong."""
    return render.render("error.html", title=title, text=text, root=root)
