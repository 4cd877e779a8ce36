"""Every event of the journals, as in contracts/interfaces; a test compares them.

The first field is the indexed id, the second the caller.
"""

from __future__ import annotations

EVENTS: dict[str, tuple[str, ...]] = {
    "Splits": (
        (
            "PagePublished(bytes32 splitId,address caller,bytes32 root,uint256 total,uint256 depth,"
            "uint256 page,bytes32[] words)"
        ),
        "Credited(bytes32 splitId,address caller,address token,uint256 amount)",
        (
            "PagePaid(bytes32 splitId,address caller,address token,uint256 page,uint256 cumulative,"
            "uint256 retry,uint256 failed,uint256 paid)"
        ),
        (
            "Claimed(bytes32 splitId,address caller,address token,uint256 index,bytes32 leaf,address to,"
            "uint256 cumulative,uint256 paid)"
        ),
        (
            "LeafPlaced(bytes32 splitId,address caller,address token,uint256 index,bytes32 leaf,"
            "uint256 checkpoint,bool out)"
        ),
        "StandingAddressSet(bytes32 payee,address caller,address to)",
        "ClaimNonceUsed(bytes32 payee,address caller,uint256 nonce)",
        (
            "AccountFunded(bytes32 account,address caller,address controller,bytes32 salt,address token,"
            "uint256 amount)"
        ),
        "AccountMoved(bytes32 account,address caller,address token,bytes32 splitId,uint256 amount)",
    ),
    "Catalogues": (
        (
            "CatalogueCreated(bytes32 catalogue,address caller,bytes32 worksRoot,bytes32 fileHash,"
            "address arbiter,uint256 notice,uint256 disputeWindow,uint256 arbiterWindow,string uri)"
        ),
        "ManifestReplaced(bytes32 catalogue,address caller,bytes32 worksRoot,bytes32 fileHash,string uri)",
        "SplitAnnounced(bytes32 catalogue,address caller,uint256 position,bytes32 splitId,uint256 effective)",
        "OwnershipOffered(bytes32 catalogue,address caller,address pendingOwner)",
        "OwnershipMoved(bytes32 catalogue,address caller,address previousOwner)",
    ),
    "Licences": (
        "Offered(bytes32 offerId,address caller,bytes terms,uint256 nonce,uint256 deadline,string uri)",
        "NonceCancelled(bytes32 licensor,address caller,uint256 nonce)",
        (
            "Accepted(bytes32 licence,address caller,address licensor,bytes32 offerId,uint256 nonce,"
            "bytes32 destination,uint256 fee,bytes terms,string uri)"
        ),
        (
            "Booked(bytes32 licence,address caller,uint256 kind,uint256 period,uint256 version,"
            "uint256 gross,uint256 deductions,uint256 base,int256 line,bytes32 destination,"
            "uint256 cancelled,uint256 setOff,uint256 paid,bytes32 reportHash)"
        ),
        (
            "SetOffUsed(bytes32 licence,address caller,uint256 period,bytes32 source,bytes32 destination,"
            "uint256 amount)"
        ),
        (
            "Paid(bytes32 licence,address caller,uint256 period,bytes32 destination,uint256 interest,"
            "uint256 principal,uint256 open)"
        ),
        (
            "Objected(bytes32 licence,address caller,uint256 period,uint256 version,uint256 proposer,"
            "uint256 gross,uint256 deductions,uint256 base,uint256 deadline,bytes32 reportHash)"
        ),
        "ArbiterCalled(bytes32 licence,address caller,uint256 period,address arbiter,uint256 deadline)",
        "Settled(bytes32 licence,address caller,uint256 period,bool accepted)",
        "NoticeGiven(bytes32 licence,address caller,uint256 period,uint256 cureUntil)",
        "Cured(bytes32 licence,address caller,uint256 period)",
        "Terminated(bytes32 licence,address caller,uint256 period,uint256 lapsed)",
        "Expired(bytes32 licence,address caller,uint256 lapsed)",
        "Moved(bytes32 licence,address caller,address from,address to)",
    ),
    "Distributions": (
        (
            "Posted(bytes32 licence,address caller,uint256 period,uint256 round,uint256 role,bool replacing,"
            "address arbiter,address token,bytes32 splitId,uint256 total,uint256 amount,uint256 waits,"
            "uint256 deadline,bytes32 usageHash,bytes32 manifestRoot,bytes32 ruleHash,string uri)"
        ),
        (
            "Objected(bytes32 licence,address caller,uint256 period,uint256 round,address token,"
            "bytes32 posted,uint256 postedTotal,uint256 amount,bytes32 splitId,uint256 index,bytes32 leaf,"
            "uint256 deadline,address objector,uint256 bond,bytes32 counterSplit,uint256 counterTotal,"
            "bytes32 lastSplit,uint256 lastTotal,bytes32 standingSplit)"
        ),
        (
            "Conceded(bytes32 licence,address caller,uint256 period,uint256 round,address token,"
            "bytes32 splitId,uint256 total,uint256 amount,uint256 deadline)"
        ),
        (
            "Settled(bytes32 licence,address caller,uint256 period,uint256 round,uint256 outcome,"
            "address token,bytes32 splitId,uint256 total,uint256 amount,uint256 arrived,uint256 moved)"
        ),
        "StayedHeld(bytes32 licence,address caller,uint256 period,uint256 round,uint256 outcome)",
        (
            "Swept(bytes32 licence,address caller,uint256 period,uint256 round,address token,bytes32 splitId,"
            "uint256 arrived,uint256 moved)"
        ),
        (
            "BondMoved(bytes32 licence,address caller,uint256 period,uint256 round,address objector,"
            "bool upheld,address token,bytes32 splitId,uint256 amount)"
        ),
    ),
    "Attributions": (
        (
            "TrainingRecorded(bytes32 licence,address caller,uint256 kind,string model,bytes32 root,"
            "uint256 leaves,bytes32 fileHash,string uri)"
        ),
        (
            "OutputsRecorded(bytes32 licence,address caller,string model,bytes32 root,uint256 leaves,"
            "uint256 outputs,bytes32 fileHash,string uri)"
        ),
    ),
}
