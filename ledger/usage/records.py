"""The records of usage files, column by column: our own and those of the DDEX profiles that are read.

Facts of DDEX's records are from the public schemas of ddexnet/dsrf (Apache-2.0); the columns of the
user-generated content profile are those that its sample names in its comment lines.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class CellKind(StrEnum):
    """What a cell may hold."""

    TEXT = "text"
    COUNT = "count"
    PPM = "ppm"
    BPS = "bps"
    AMOUNT = "amount"
    BOOLEAN = "boolean"
    DATE = "date"
    TIME = "time"
    DURATION = "duration"
    TERRITORY = "territory"
    CURRENCY = "currency"
    USE_TYPE = "use type"
    ISRC = "ISRC"
    ISWC = "ISWC"
    ICPN = "EAN"
    IDENTIFIER = "ISRC, DOI or content hash"


class Family(StrEnum):
    """What a record is about; its name begins with it."""

    HEAD = "HE"
    SUMMARY = "SY"
    RESOURCE = "AS"
    WORK = "MW"
    RELEASE = "RE"
    RELEASE_USE = "RU"
    USAGE = "SU"
    RIGHT = "LI"
    FOOT = "FO"


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `needed` by its profile, `several` values divided by |."""

    name: str
    kind: CellKind
    needed: bool = True
    several: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """A kind of line: its name in the first cell, then its columns."""

    name: str
    columns: tuple[Column, ...]

    @property
    def family(self) -> Family:
        """What it is about."""
        return Family(self.name[:2])

    def place(self, column: str) -> int:
        """Index of a column among the line's cells, of which the name is the first; -1 if it has none such."""
        for i, one in enumerate(self.columns, start=1):
            if one.name == column:
                return i
        return -1


_KINDS: Mapping[CellKind, str] = {
    CellKind.COUNT: "Usages Returns NumberOfStreams Subscribers Users TotalUsages UsagesInSubPeriod "
    "UsagesInReportingPeriod AllocatedUsages FileNumber NumberOfFiles OutputCount NumberOfLinesInFile "
    "NumberOfLinesInReport NumberOfSummaryRecords NumberOfBlocksInFile NumberOfBlocksInReport",
    CellKind.PPM: "AttributionWeightPpm",
    CellKind.BPS: "AttributionConfidenceBps",
    CellKind.AMOUNT: "NetRevenue IndirectNetRevenue AllocatedRevenue AllocatedNetRevenue AllocatedAmount "
    "GrossRevenue Deductions UsageIndependentFee PriceConsumerPaidExcSalesTax ConsumerPaidUnitPrice "
    "ExchangeRate RightsTypePercentage MusicUsagePercentage MusicUsageRatio RightSharePercentage "
    "RightsControllerMarketShare",
    CellKind.BOOLEAN: "IsRoyaltyBearing IsMasterRecording",
    CellKind.DATE: "UsageStartDate UsageEndDate SubPeriodStartDate SubPeriodEndDate ValidityPeriodStart "
    "ValidityPeriodEnd",
    CellKind.TIME: "MessageCreatedDateTime",
    CellKind.DURATION: "Duration",
    CellKind.TERRITORY: "Territory",
    CellKind.CURRENCY: "CurrencyOfReporting CurrencyOfTransaction Currency",
    CellKind.USE_TYPE: "UseType",
    CellKind.ISRC: "ISRC",
    CellKind.ISWC: "ISWC",
    CellKind.ICPN: "ICPN",
    CellKind.IDENTIFIER: "ISRC|DOI|ContentHash",
}
_KIND_OF = {name: kind for kind, names in _KINDS.items() for name in names.split()}


def _record(name: str, text: str) -> Record:
    """A record of its columns' names; `?` optional, `*` several values."""
    columns = []
    for word in text.split():
        bare = word.rstrip("?*")
        marks = word[len(bare) :]
        columns.append(Column(bare, _KIND_OF.get(bare, CellKind.TEXT), "?" not in marks, "*" in marks))
    return Record(name, tuple(columns))


HEAD = _record(
    "HEAD",
    "MessageVersion Profile ProfileVersion MessageId MessageCreatedDateTime FileNumber NumberOfFiles "
    "UsageStartDate UsageEndDate SenderPartyId SenderName ServiceDescription? RecipientPartyId? "
    "RecipientName? RepresentedRepertoire?*",
)
FOOT = _record(
    "FOOT",
    "NumberOfLinesInFile NumberOfLinesInReport? NumberOfSummaryRecords NumberOfBlocksInFile "
    "NumberOfBlocksInReport?",
)
SUMMARY = _record(
    "SYAI.01",
    "SummaryRecordId LicenceId CommercialModel? UseType Territory ServiceDescription? ModelId ModelVersion "
    "Usages UsageUnit? Users? CurrencyOfReporting GrossRevenue DeductionType?* Deductions?* NetRevenue "
    "UsageIndependentFeeType?* UsageIndependentFee?* CurrencyOfTransaction? ExchangeRate? "
    "ExchangeRateSource? AdjustsReportId? AdjustsPeriod?",
)
WORK = _record(
    "ASAI.01",
    "BlockId ResourceReference DspResourceId ISRC|DOI|ContentHash? ISWC? Title? DisplayArtistName? "
    "RightsControllers?*",
)
USAGE = _record(
    "SUAI.01",
    "BlockId SummaryRecordId SalesTransactionId? ResourceReference IsRoyaltyBearing Usages "
    "AttributionWeightPpm? AttributionMethod? AttributionConfidenceBps? OutputCount? AllocatedNetRevenue?",
)
RIGHT = _record(
    "LI01.01",
    "BlockId SummaryRecordId? RightsController RightsControllerPartyId? RightsControllerWorkId? "
    "RightSharePercentage RightsType? AllocatedNetRevenue AllocatedAmount",
)
#: Our own format, in the order in which a file has them.
OURS = (HEAD, SUMMARY, WORK, USAGE, RIGHT, FOOT)
#: Profile and version of our own files, as HEAD names them.
MESSAGE_VERSION, PROFILE, PROFILE_VERSION = "aill/1", "AiUsageProfile", "1.0"

_SERVICE = "CommercialModel UseType Territory ServiceDescription?"
_CHANNEL = f"SummaryRecordId DistributionChannel? DistributionChannelDPID? {_SERVICE}"
_RATE = "CurrencyOfTransaction? ExchangeRate?"
_PARTIES = (
    "ComposerAuthor?* ComposerAuthorPartyId?* Arranger?* ArrangerPartyId?* MusicPublisher?* "
    "MusicPublisherPartyId?* WorkContributor?* WorkContributorPartyId?*"
)
_CONTROLLER = "RightsController? RightsControllerPartyId?"

#: Records of the Basic Audio Profile 1.2, beside HEAD and FOOT.
BASIC_AUDIO = (
    _record(
        "SY01.01",
        f"{_CHANNEL} Usages Subscribers? CurrencyOfReporting NetRevenue IndirectNetRevenue? {_RATE}",
    ),
    _record(
        "SY02.02",
        f"{_CHANNEL} Usages Users? CurrencyOfReporting NetRevenue {_CONTROLLER} AllocatedUsages?* "
        f"AllocatedRevenue?* AllocatedNetRevenue? RightsType? ContentCategory {_RATE} RightsTypePercentage?",
    ),
    _record(
        "SY04.01",
        f"{_CHANNEL} SubscriberType Subscribers SubPeriodStartDate? SubPeriodEndDate? UsagesInSubPeriod? "
        f"UsagesInReportingPeriod? CurrencyOfReporting {_RATE} ConsumerPaidUnitPrice NetRevenue "
        "MusicUsagePercentage",
    ),
    _record(
        "SY05.02",
        f"{_CHANNEL} {_CONTROLLER} RightsType TotalUsages? AllocatedUsages?* MusicUsageRatio? "
        "AllocatedNetRevenue?* AllocatedRevenue? RightsControllerMarketShare? CurrencyOfReporting? "
        f"{_RATE} RightsTypePercentage?",
    ),
    _record(
        "RE01",
        "BlockId ReleaseReference DspReleaseId ProprietaryReleaseId?* CatalogNumber? ICPN? DisplayArtistName "
        "DisplayArtistPartyId? Title SubTitle? ReleaseType? Label? PLine? DataProvider?",
    ),
    _record(
        "AS02.02",
        "BlockId ResourceReference DspResourceId ISRC?* Title SubTitle? DisplayArtistName "
        f"DisplayArtistPartyId? Duration? ResourceType ISWC? {_PARTIES} ProprietaryWorkId? IsMasterRecording?",
    ),
    _record(
        "SU01",
        "BlockId SummaryRecordId SalesTransactionId TransactedRelease? TransactedResource? IsRoyaltyBearing "
        "SalesUpgrade Usages Returns PriceConsumerPaidExcSalesTax? PromotionalActivity?",
    ),
    _record(
        "SU02",
        "BlockId SummaryRecordId SalesTransactionId TransactedRelease? TransactedResource? IsRoyaltyBearing? "
        "NumberOfStreams PriceConsumerPaidExcSalesTax? PromotionalActivity?",
    ),
)
#: Records of the Royalty Reporting Profile 1.0.1, beside HEAD and FOOT.
ROYALTY_REPORTING = (
    _record(
        "SY07",
        "SummaryRecordId DistributionChannel? DistributionChannelDPID? CommercialModel? UseType? Territory "
        f"RightsType ServiceDescription? Usages Users? Currency NetRevenue? {_CONTROLLER} AllocatedUsages?* "
        "AllocatedRevenue AllocatedNetRevenue",
    ),
    _record(
        "SU03.01",
        "BlockId SalesTransactionId SummaryRecordId? DspReleaseId Usages? NetRevenue ValidityPeriodStart? "
        "ValidityPeriodEnd?",
    ),
    RIGHT,
)
#: Records of the user-generated content profile 1.0 that the two others lack.
USER_GENERATED = (
    _record(
        "SY02.01",
        f"{_CHANNEL} Usages Users? Currency NetRevenue {_CONTROLLER} AllocatedUsages?* AllocatedRevenue? "
        "AllocatedNetRevenue? RightsType?",
    ),
    _record(
        "AS01",
        "BlockId ResourceReference DspResourceId ISRC?* Title SubTitle? DisplayArtistName "
        "DisplayArtistPartyId? Duration? ResourceType",
    ),
    _record(
        "MW01.01",
        f"BlockId DspWorkId ISWC? Title SubTitle? {_PARTIES} DataProvider? ProprietaryWorkId?",
    ),
    _record("RU01", "BlockId SummaryRecordId DspReleaseId* Usages*"),
)
PROFILES: Mapping[str, tuple[Record, ...]] = {
    "ours": OURS,
    "Basic Audio Profile 1.2": BASIC_AUDIO,
    "Royalty Reporting Profile 1.0.1": ROYALTY_REPORTING,
    "UGC Profile 1.0": USER_GENERATED,
}
RECORDS: Mapping[str, Record] = {one.name: one for held in PROFILES.values() for one in held}
#: A name without its version, or with another one, stands for the newest version that is known.
_NEWEST = {
    name[:4]: one for name, one in sorted(RECORDS.items()) if not name.startswith(("SYAI", "ASAI", "SUAI"))
}
#: Cells without which a usage line says nothing: the block and the number of usages.
VITAL: Mapping[str, tuple[str, ...]] = {
    "SUAI.01": ("BlockId", "SummaryRecordId", "ResourceReference", "IsRoyaltyBearing", "Usages"),
    "SU01": ("BlockId", "SummaryRecordId", "Usages"),
    "SU02": ("BlockId", "SummaryRecordId", "NumberOfStreams"),
    "SU03.01": ("BlockId", "Usages"),
    "ASAI.01": ("BlockId", "ResourceReference", "DspResourceId"),
    "AS01": ("BlockId", "DspResourceId"),
    "AS02.02": ("BlockId", "DspResourceId"),
}
#: What a use type of ours needs among a licence's scopes.
SCOPE_OF_USE: Mapping[str, str] = {
    "AiTraining": "TRAIN",
    "AiFineTuning": "FINE_TUNE",
    "AiInference": "INFER",
    "AiRetrieval": "RETRIEVE",
}
#: Namespace of what is ours among DDEX's values.
NAMESPACE = "aill"


def find(name: str) -> Record | None:
    """The record of this name; for a name without version, or of an unknown one, the newest known version."""
    exact = RECORDS.get(name)
    if exact is not None:
        return exact
    base, point, version = name.partition(".")
    if point and not (version.isascii() and version.isdigit() and len(version) == 2):
        return None
    return _NEWEST.get(base) if len(base) == 4 else None
