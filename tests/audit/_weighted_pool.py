"""A pool divided by use, with all its files: every way that a distribution can go, played by the command line."""

from __future__ import annotations

import shutil
from calendar import monthrange
from pathlib import Path
from typing import Any

from _court import raw, topics
from _scene import LICENSEE, LICENSOR, STRANGER, Scene

from ledger.chain.distributions import Distributions
from ledger.chain.keys import dev_signer
from ledger.domain.address import checksum_address
from ledger.domain.distribution_types import Posting
from ledger.domain.journal import Entry, decode_entry, is_entry
from ledger.domain.merkle_sum import MerkleSumTree
from ledger.domain.split_types import Run
from ledger.operations import distribution_build
from ledger.operations.files import FileStore

ARBITER = "dev:5"
ANN, BOB, CY, DEE = (checksum_address(dev_signer(number).address) for number in (3, 4, 6, 7))
ACCOUNTS = {ANN: "dev:3", BOB: "dev:4", CY: "dev:6", DEE: "dev:7"}
#: What each month earns, whole tokens.
GROSS = ("1000", "2000", "3000", "4000", "5000", "10", "600")
#: A month that a test may still post for: the scene leaves it to come.
OPEN_MONTH = 6

WORKS = f"""\
work,title,holder,payee,share,right,isrc
song-1,First,Ann,{ANN},1/4,recording,GBAYE0601498
song-1,First,Bob,{BOB},3/4,recording,GBAYE0601498
song-2,Second,Cy,CY,1/1,recording,
song-3,Third,Dee,{DEE},1/1,recording,
"""
CREDITS = """\
output,content_hash,work,weight_ppm,confidence_bps
out-1,,song-1,600000,9000
out-1,,song-3,400000,9000
out-2,,song-2,1000000,8000
"""
TRAINING = "work\nsong-1\nsong-3\n"


def usage_text(licence: int, month: int, gross: str, uses: dict[str, int], message: str = "") -> str:
    """A DSR-style report of one month: so many uses of each work, its outputs, its gross revenue."""
    first, last = f"2024-{month:02}-01", f"2024-{month:02}-{monthrange(2024, month)[1]}"
    lines = [
        f"HEAD;aill/1;AiUsageProfile;1.0;{message or f'm-{month}'};2024-12-01T00:00:00Z;1;1;{first};{last};muse;M;;;;",
        f"SYAI.01;1;{licence};POOL;aill::AiInference;Worldwide;;Muse;1;{sum(uses.values())};requests;;tUSD;"
        f"{gross};;;{gross};;;;;;;",
    ]
    for number, (work, count) in enumerate(uses.items(), 1):
        lines.append(f"ASAI.01;{number};R1;{work};;;;;")
        lines.append(f"SUAI.01;{number};1;out-{number};R1;true;{count};;;;1;")
    blocks = len(uses)
    lines.append(f"FOOT;{len(lines) + 1};{len(lines) + 1};1;{blocks};{blocks}")
    return "\n".join(line.replace(";", "\t") for line in lines) + "\n"


class Pool(Scene):
    """Licence 1, weighted by use; its months: replaced and swept, countered, conceded, fallen back, closed."""

    def _play(self) -> None:
        do, after = self.do, self.after
        self.works = self.folder / "works.csv"
        self.works.write_text(WORKS.replace(",CY,", ",,"))
        made = do(
            "catalogue", "create", self.works, "--title", "Pool", "--arbiter", ARBITER,
            "--dispute-days", 5, "--arbiter-days", 7, account=LICENSOR,
        )  # fmt: skip
        do("token", "mint", "100000", account=LICENSEE)
        self.terms = self._terms(
            made,
            money={
                "upfront_fee": "0",
                "advance": False,
                "guarantee": "0",
                "tiers": [{"rate_ppm": 100_000}],
                "late_rate_ppm": 0,
            },
            pool={
                "weighted": True,
                "distributions": self.ledger.addresses["Distributions"],
                "allocation": "USAGE",
            },
            duties={
                "reporting_period": "MONTH",
                "days_to_report": 10,
                "days_to_pay": 20,
                "attribution": "PER_OUTPUT",
            },
        )
        offer = self.folder / "offer.json"
        do("licence", "offer", self.terms, "--out", offer, account=LICENSOR)
        self.licence = do("licence", "accept", offer, account=LICENSEE)["licence"]
        self._attributions()
        after("2024-02-02")
        self.report(0)
        # Month 0: posted by a wrong file, replaced by the right one, which nobody objects to.
        self.post(0, self.imported(0, {"song-1": 10, "song-2": 10, "song-3": 80}, "wrong"), "0-wrong")
        self.post(0, self.imported(0, {"song-1": 60, "song-2": 10, "song-3": 30}), "0")
        after("2024-02-08")
        self.settle(0)
        # What was held for Cy finds its holder; the rest of its time Dee's song is in dispute with nobody.
        self.works.write_text(WORKS.replace(",CY,", f",{CY},"))
        do("catalogue", "announce", 1, self.works, account=LICENSOR)
        # Month 1: Dee objects with the right split, and the arbiter chooses it.
        after("2024-03-02")
        self.report(1)
        wrong = self.imported(1, {"song-1": 90, "song-3": 10}, "wrong")
        right = self.imported(1, {"song-1": 40, "song-2": 20, "song-3": 40})
        self.post(1, wrong, "1-wrong")
        self.object(1, right, "1")
        self.settle(1, "--choose", "counter", account=ARBITER)
        # Month 2: the licensor concedes, and what it concedes stands.
        after("2024-04-02")
        self.report(2)
        wrong = self.imported(2, {"song-1": 90, "song-3": 10}, "wrong")
        right = self.imported(2, {"song-1": 1, "song-2": 1, "song-3": 1})
        self.post(2, wrong, "2-wrong")
        self.object(2, right, "2")
        self.settle(2, "--concede", account=LICENSOR)
        after("2024-04-09")
        self.settle(2)
        # Month 3: nothing is posted, so it falls back. Month 4: the arbiter is silent.
        after("2024-05-02")
        self.report(3)
        after("2024-06-02")
        self.report(4)
        self.post(4, self.imported(4, {"song-1": 5, "song-2": 1, "song-3": 4}), "4")
        self.object(4)
        after("2024-06-20")
        self.settle(4)
        after("2024-09-01")
        self.settle(3)
        # More revenue of month 0 is found: it is swept the way of the rest.
        do("report", "restate", 1, 0, "1100", account=LICENSEE)
        do("report", "pay", 1, 0, account=LICENSEE)
        self.settle(0)
        do("payout", "run", account=STRANGER)
        self.rpc.call("anvil_mine", "0x2", "0x0")

    def _attributions(self) -> None:
        outputs, training = self.folder / "outputs.csv", self.folder / "training.csv"
        outputs.write_text(CREDITS)
        training.write_text(TRAINING)
        self.after("2024-01-10")
        self.do("attribution", "record", self.licence, "--training", training, account=LICENSEE)
        self.do("attribution", "record", self.licence, "--outputs", outputs, account=LICENSEE)

    # ---- steps of a period

    def report(self, period: int) -> None:
        self.do("report", "submit", self.licence, GROSS[period], "--pay", account=LICENSEE)

    def usage_file(self, period: int, uses: dict[str, int], name: str = "", gross: str = "") -> Path:
        place = self.folder / "usage" / (name or "right")
        place.mkdir(parents=True, exist_ok=True)
        month = period + 1
        path = place / f"DSR_Pool_Muse_chat_2024-{month:02}_Worldwide_1of1_202412{month:02}T000000.tsv"
        message = f"{name}-{month}" if name else ""
        path.write_text(usage_text(self.licence, month, gross or GROSS[period], uses, message))
        return path

    def imported(self, period: int, uses: dict[str, int], name: str = "", gross: str = "") -> Path:
        """The folder of an imported report; its original file is in the store too."""
        path = self.usage_file(period, uses, name, gross)
        done = self.do(
            "usage", "import", path, "--terms", self.terms, "--licence", self.licence, "--manifest", self.works,
            "--keep",
        )  # fmt: skip
        return Path(done["folder"])

    def build(self, period: int, usage: Path, name: str, *more: object) -> Path:
        out = self.folder / "built" / name
        self.do("distribution", "build", self.licence, period, usage, "--out", out, *more)
        self.do("distribution", "publish", out, account=LICENSOR)
        return out

    def post(self, period: int, usage: Path, name: str, *more: object) -> Path:
        out = self.build(period, usage, name, *more)
        self.do("distribution", "post", self.licence, period, out, account=LICENSOR)
        return out

    def object(self, period: int, usage: Path | None = None, name: str = "") -> None:
        counter = ["--counter", self.build(period, usage, name)] if usage else []
        self.do("token", "mint", "100", "--to", DEE, account=STRANGER)
        self.do("distribution", "object", self.licence, period, *counter, account=ACCOUNTS[DEE])

    def settle(self, period: int, *how: object, account: str = STRANGER) -> dict[str, Any]:
        return self.do("distribution", "settle", self.licence, period, *how, account=account)

    def open_month(self, gross: str = "", uses: dict[str, int] | None = None) -> Path:
        """Reports the months up to OPEN_MONTH, and imports a usage report of that one."""
        self.report(5)
        if gross:
            self.do("report", "submit", self.licence, gross, "--pay", account=LICENSEE)
        else:
            self.report(OPEN_MONTH)
        return self.imported(OPEN_MONTH, uses or {"song-1": 6, "song-2": 1, "song-3": 3})

    def post_split(self, folder: Path, entries: list[tuple[str, int]], **other: Any) -> MerkleSumTree:
        """Posts a split of these entries for OPEN_MONTH, with the files of an honest folder; `other`: of Posting."""
        built = distribution_build.open_distribution(folder)
        tree = MerkleSumTree.build(entries)
        contract = Distributions("Distributions", self.ledger.addresses["Distributions"], self.ledger.reader)
        terms = self.books().licences.grants[self.licence].terms.encode()
        fields = {
            "amount": built.amount,
            "usage_hash": built.source.usage_hash,
            "manifest_root": built.source.works_root,
            "rule_hash": built.rule_hash,
            **other,
        }
        pages = [Run(page, tree.page_words(page), tree.page_proof(page)) for page in range(tree.pages)]
        with self._sender(0) as sender:
            sender.send_one(self.ledger.splits.publish(tree.split, pages))
            sender.send_one(contract.post(self.licence, terms, OPEN_MONTH, [], Posting(tree.split, **fields)))
        return tree

    # ---- the store

    @property
    def files(self) -> Path:
        return self.folder / "home" / "files"

    def store(self, place: Path) -> Path:
        """A copy of the store of files, to lie with."""
        return Path(shutil.copytree(self.files, place))

    def entries(self, contract: str, *names: str) -> list[Entry]:
        """A contract's entries of these names."""
        logs = self.rpc.call("eth_getLogs", {"fromBlock": "0x0", "address": self.ledger.addresses[contract]})
        entries = [decode_entry(contract, raw(one)) for one in logs if is_entry(contract, topics(one))]
        return [one for one in entries if not names or one.name in names]

    def manifest(self) -> tuple[bytes, bytes]:
        """Works root and file hash of the newest manifest."""
        named = self.entries("Catalogues", "CatalogueCreated", "ManifestReplaced")[-1]
        return named["worksRoot"], named["fileHash"]

    def report_hash(self, period: int) -> bytes:
        """Of a month's report file."""
        return next(
            one["reportHash"] for one in self.entries("Licences", "Booked") if one["period"] == period
        )

    def keep(self, content: bytes) -> bytes:
        return FileStore(self.files).put(content)

    def audit(self, *more: object) -> tuple[int, dict[str, Any]]:
        """Exit code and verdict."""
        code, envelope = self.run("audit", "run", "--anchor", self.anchor(), *more)
        return code, envelope["data"] if code == 0 else envelope["error"]["verdict"]


def step(verdict: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in verdict["steps"] if one["name"] == name)


def found(verdict: dict, check: str) -> list[dict]:
    """The findings of a check."""
    return [one for one in verdict["findings"] if one["check"] == check]


def duties(verdict: dict, kind: str) -> list[dict]:
    """The facts of a kind."""
    return [one for one in verdict["duties"] if one["kind"] == kind]


def honest(pool: Pool) -> tuple[Path, dict[str, int]]:
    """The folder and the units of the open month's distribution by the files."""
    folder = pool.build(OPEN_MONTH, pool.open_month(), "open")
    return folder, dict(distribution_build.open_distribution(folder).units())
