"""How the demonstration begins: a chain, a catalogue out of real data, four licences."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from ledger.demo import deals
from ledger.demo.datasets import Datasets, manifest_document, read_datasets
from ledger.demo.stage import (
    ARBITER,
    ASSISTANT,
    ATTRIBUTOR,
    DEVELOPER,
    EVALUATOR,
    HOLDER,
    LICENSOR,
    OPERATOR,
    SEARCHER,
    Money,
    Stage,
    data,
    day,
)
from ledger.domain.catalogue_book import Settings
from ledger.domain.manifest import Manifest
from ledger.domain.manifest_file import parse_manifest_json
from ledger.operations import catalogues, chains, deployment, offers
from ledger.operations.tokens import find_token

GENESIS: Final = "2025-06-01"
#: A rights holder with a key of its own, who claims to another address.
CLAIMING: Final = "Stanford University"
_DAY: Final = 86_400
#: Whole tokens that each starts with; the rights holder will need a bond.
_MONEY: Final = {DEVELOPER: 100_000, EVALUATOR: 20_000, SEARCHER: 50_000, ASSISTANT: 60_000, HOLDER: 500}


@dataclass
class Opening:
    """What the demonstration has made so far."""

    stage: Stage
    datasets: Datasets = field(init=False)
    manifest: Manifest = field(init=False)
    money: Money = field(init=False)
    catalogue: int = 0
    hybrid: int = 0
    flat: int = 0
    share: int = 0
    pool: int = 0

    def play(self) -> None:
        """From an empty folder to four licences."""
        self.open()
        self.register()
        self.grant()

    def open(self) -> None:
        """A chain of its own, the contracts, and money for those who will pay."""
        stage = self.stage
        chains.start(stage.home, genesis_time=day(GENESIS))
        with stage.session(OPERATOR).sender() as sender:
            found = deployment.deploy(
                stage.session(OPERATOR), sender, deployment.test_tokens(stage.session(OPERATOR))
            )
        self.money = Money(find_token(stage.session(OPERATOR), "BUSD"))
        stage.say(f"Deployed {', '.join(found.new)}; money is {self.money.symbol}, a test token.")
        for account, whole in _MONEY.items():
            stage.send(
                OPERATOR,
                self.money.token.mint(stage.address(account), self.money.units(whole), occasion=account),
            )

    def register(self) -> None:
        """The catalogue: works, rights holders, and the split that they give."""
        self.datasets = read_datasets(data("catalogue", "ai_datasets.csv"))
        self.manifest = self.manifest_of({})
        settings = Settings(
            works_root=self.manifest.works_root,
            file_hash=self.manifest.file_hash,
            arbiter=self.stage.address(ARBITER),
            notice=30 * _DAY,
            dispute_window=60 * _DAY,
            arbiter_window=30 * _DAY,
            uri=f"ledger:0x{self.manifest.file_hash.hex()}",
        )
        session = self.stage.session(LICENSOR)
        with session.sender() as sender:
            made = catalogues.create(session, sender, self.manifest, settings)
        self.catalogue = made.catalogue
        units = self.manifest.units()
        waiting = sorted({holder for _, holder, _ in units.unmatched})
        self.stage.say(
            f"Catalogue {made.catalogue}: {len(self.manifest.works)} works, {made.tree.leaves} rights holders, "
            f"published in {made.tree.split.pages} pages."
        )
        self.stage.say(
            f"Unmatched: {len(self.datasets.unmatched)} rows of the source, and {', '.join(waiting)} "
            f"({float(units.unmatched_part) * 100:.1f} % of the value, no units until they are matched)."
        )

    def manifest_of(self, matched: dict[str, str]) -> Manifest:
        """The manifest, some names matched with others."""
        payees = {CLAIMING: self.stage.address(HOLDER)}
        document = manifest_document(self.datasets.works, payees=payees, matched=matched)
        return parse_manifest_json(json.dumps(document))

    # ---- the licences

    def grant(self) -> None:
        """Four licences: offered by signature, accepted by permit."""
        parties = deals.Parties(
            self.stage.address(LICENSOR),
            self.catalogue,
            "0x" + self.manifest.works_root.hex(),
            self.money.token.address,
            self.money.symbol,
            self.money.token.decimals,
        )
        self.hybrid = self._grant(deals.hybrid(parties, self.stage.address(DEVELOPER)), DEVELOPER)
        self.flat = self._grant(deals.flat(parties, self.stage.address(EVALUATOR)), EVALUATOR)
        self.share = self._grant(deals.share(parties, self.stage.address(SEARCHER)), SEARCHER)
        distributions = self.stage.ledger.distributions.address
        attributor = self.stage.address(ATTRIBUTOR)
        terms = deals.pool(parties, self.stage.address(ASSISTANT), distributions, attributor)
        self.pool = self._grant(terms, ASSISTANT)

    def _grant(self, document: dict[str, Any], licensee: str) -> int:
        licensor, session = self.stage.session(LICENSOR), self.stage.session(licensee)
        terms = offers.read_document(json.dumps(document).encode(), "demonstration")
        offer = offers.sign(offers.make_offer(licensor, terms, valid_days=30), licensor.signer())
        licensor.files.put(terms.canonical())
        with session.sender() as sender:
            number, _ = offers.accept(session, sender, offer)
        fee = self.money.show(offer.terms.upfront_fee)
        self.stage.say(f"Licence {number}: {document['title']}; upfront fee {fee}.")
        return number
