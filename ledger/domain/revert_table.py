"""Every custom error that the contracts can raise: signature, plain sentence, remedy.

The sentences take the error's arguments by name. A test compares the table with
contracts/libraries/Errors.sol.
"""

from __future__ import annotations

from ledger.domain.attribution_reverts import ATTRIBUTIONS
from ledger.domain.distribution_reverts import DISTRIBUTIONS

#: (signature with parameter names, sentence, remedy)
TABLE: tuple[tuple[str, str, str], ...] = (
    # Splits: trees, proofs and publication
    (
        "Splits_DepthTooLarge(uint256 depth)",
        "The split has depth {depth}; at most 32 is possible.",
        "Rebuild the split.",
    ),
    (
        "Splits_TotalOutOfRange(uint256 total)",
        "The split's total of {total} units is not within 1 to 2^128 - 1.",
        "Rebuild the split from its payees and units.",
    ),
    (
        "Splits_IndexOutOfRange(uint256 index,uint256 depth)",
        "Leaf {index} lies outside a split of depth {depth}.",
        "Take index and proof from the split's published pages.",
    ),
    (
        "Splits_PageOutOfRange(uint256 page,uint256 pages)",
        "Page {page} lies outside a split of {pages} pages.",
        "Number pages from 0.",
    ),
    (
        "Splits_WrongWordCount(uint256 given,uint256 expected)",
        "The page, or the run of pages, has {given} words; it must have {expected}, padding included.",
        "Pad each page with zero words; a run has 1, 2, 4, 8 ... pages.",
    ),
    (
        "Splits_RunMisplaced(uint256 firstPage,uint256 pages)",
        "A run of {pages} pages cannot begin at page {firstPage}.",
        "Begin a run at a multiple of its number of pages.",
    ),
    (
        "Splits_WrongProofLength(uint256 given,uint256 expected)",
        "The proof has {given} words; it must have {expected}.",
        "Take the proof from the split's tree.",
    ),
    (
        "Splits_SumAboveTotal(uint256 sum,uint256 total)",
        "A sum of {sum} units in the proof is above the split's total of {total}.",
        "Take the proof from the split's tree.",
    ),
    (
        "Splits_ProofMismatch(bytes32 splitId)",
        "The proof does not lead to the split {splitId}.",
        "Check that payee, units, index and split belong together.",
    ),
    (
        "Splits_BadLeaf(bytes32 leaf)",
        "The leaf {leaf} has a payee without units, or units without a payee.",
        "Leave such leaves out of the split.",
    ),
    (
        "Splits_PayeeIsSplits(uint256 index)",
        "Leaf {index} of the page names the Splits contract itself as payee; its money could never leave.",
        "Name the rights holder's own address.",
    ),
    (
        "Splits_NotPublished(bytes32 splitId)",
        "Not every page of the split {splitId} is published.",
        "Publish the missing pages first: `licence-ledger catalogue publish`.",
    ),
    # Splits: money in
    (
        "Splits_NothingArrived(address token)",
        "Nothing of the token {token} arrived.",
        "Check balance and allowance, and that the token moves what it says.",
    ),
    (
        "Splits_CreditTooLarge(bytes32 splitId,address token)",
        "The credit of the split {splitId} in {token} would reach 2^128 base units.",
        "Credit a smaller amount.",
    ),
    (
        "Splits_AccountTooSmall(bytes32 account,address token,uint256 held,uint256 wanted)",
        "The account {account} holds {held} base units of {token}; {wanted} were to be moved.",
        "Move at least one unit and at most what it holds.",
    ),
    # Splits: money out
    (
        "Splits_GasPerTransferTooLow(uint256 given,uint256 minimum)",
        "The gas for each transfer is {given}; it must be at least {minimum}.",
        "Give each transfer more gas.",
    ),
    (
        "Splits_NotEnoughGas(uint256 left,uint256 needed)",
        "Only {left} gas was left before a transfer that needs {needed}.",
        "Raise the gas limit, or pay fewer pages in one call.",
    ),
    (
        "Splits_NothingPaid(address token)",
        "No transfer of {token} succeeded, so nothing was changed.",
        "See `licence-ledger payout preview`: perhaps nothing is owed, or the token is paused.",
    ),
    (
        "Splits_OutflowTooLarge(address token,uint256 outflow,uint256 paid)",
        "{outflow} base units of {token} would have left for {paid} paid.",
        "This token takes a fee from its sender and cannot be paid out.",
    ),
    (
        "Splits_TransferFailed(address token,address to)",
        "The transfer of {token} to {to} failed.",
        "Claim to another address, or wait until the token serves this one.",
    ),
    (
        "Splits_NotPayee(address caller,address payee)",
        "{caller} is not the payee {payee}.",
        "Send it from the payee's own key.",
    ),
    (
        "Splits_BadRecipient(address to)",
        "{to} cannot be a recipient: it is zero or the Splits contract.",
        "Name another address.",
    ),
    (
        "Splits_SignatureExpired(uint256 deadline)",
        "The signature was valid until {deadline}.",
        "Sign again with a later deadline.",
    ),
    (
        "Splits_BadSignature(address payee)",
        "The signature is not that of {payee} over these leaves, recipient, nonce and deadline.",
        "Sign again with the payee's present nonce.",
    ),
    # Catalogues
    (
        "Catalogues_Unknown(uint256 catalogue)",
        "There is no catalogue {catalogue}.",
        "See `licence-ledger catalogue show`.",
    ),
    (
        "Catalogues_NotOwner(uint256 catalogue,address caller)",
        "{caller} does not own catalogue {catalogue}.",
        "Send it from the owner's key.",
    ),
    (
        "Catalogues_NotPendingOwner(uint256 catalogue,address caller)",
        "{caller} was not named as the next owner of catalogue {catalogue}.",
        "The owner must name this address first.",
    ),
    (
        "Catalogues_BadSetting(uint256 which)",
        "Setting {which} is out of range (1 root, 2 file hash, 3 notice, 4 dispute, 5 arbiter window).",
        "Windows last 1 hour to 3650 days, the notice at most 3650 days; root and hash are not zero.",
    ),
    (
        "Catalogues_SplitNotPublished(bytes32 splitId)",
        "The split {splitId} has pages that nobody has published.",
        "Publish the missing pages first: `licence-ledger catalogue publish`.",
    ),
    (
        "Catalogues_NoSplitAt(uint256 catalogue,uint256 time)",
        "Catalogue {catalogue} had no split in force at {time}.",
        "Announce a split before granting licences.",
    ),
    (
        "Catalogues_NoPosition(uint256 catalogue,uint256 position)",
        "Catalogue {catalogue} has no announced split at position {position}.",
        "Positions count from 0.",
    ),
    # Licences: terms, offers, acceptance
    (
        "Licences_Unknown(uint256 licence)",
        "There is no licence {licence}.",
        "See `licence-ledger licence list`.",
    ),
    (
        "Licences_TermsMismatch(uint256 licence)",
        "The terms given are not those of licence {licence}.",
        "Take the terms from the licence's acceptance on chain.",
    ),
    (
        "Licences_BadTerms(uint256 which)",
        "Field {which} of the terms ({field}) is out of range.",
        "Correct the terms document and derive the terms again.",
    ),
    (
        "Licences_NotLicensor(uint256 catalogue,address caller)",
        "{caller} is not the licensor: it does not own catalogue {catalogue}.",
        "Send it from the catalogue owner's key.",
    ),
    (
        "Licences_NotLicensee(uint256 licence,address caller)",
        "{caller} does not hold licence {licence}.",
        "Send it from the licensee's key.",
    ),
    (
        "Licences_NotInvited(address caller,address licensee)",
        "The offer is for {licensee}, not for {caller}.",
        "Accept it from the invited address.",
    ),
    (
        "Licences_OfferExpired(uint256 deadline)",
        "The offer was open until {deadline}.",
        "Ask the licensor for a new offer.",
    ),
    (
        "Licences_NonceUsed(address licensor,uint256 nonce)",
        "Nonce {nonce} of {licensor} was used or cancelled.",
        "Ask the licensor for a new offer.",
    ),
    (
        "Licences_NotOffered(bytes32 offerId)",
        "The offer {offerId} is neither on chain nor signed by the licensor.",
        "Check terms, nonce, deadline and URI against the offer.",
    ),
    (
        "Licences_TermOver(uint256 end)",
        "The licence's term ended at {end}.",
        "Ask the licensor for new terms.",
    ),
    (
        "Licences_ScopeTaken(uint256 catalogue,uint256 bits)",
        "Another live licence of catalogue {catalogue} stands in the way on the scope bits {bits}.",
        "Expire or terminate the other licence, or drop exclusivity.",
    ),
    (
        "Licences_FeeShort(uint256 arrived,uint256 fee)",
        "{arrived} of the upfront fee of {fee} base units arrived.",
        "Use a token that moves exactly what it says.",
    ),
    # Licences: reports and money
    (
        "Licences_NoReports(uint256 licence)",
        "Licence {licence} has no reporting periods.",
        "Nothing is to be reported.",
    ),
    (
        "Licences_WrongPeriod(uint256 licence,uint256 period,uint256 next)",
        "Period {period} of licence {licence} cannot be booked now: period {next} is next.",
        "Report periods in order; restate one that is booked.",
    ),
    (
        "Licences_NoSuchPeriod(uint256 licence,uint256 period)",
        "Licence {licence} has no period {period}: it would start at or after the end.",
        "See `licence-ledger report list`.",
    ),
    (
        "Licences_PeriodNotOver(uint256 licence,uint256 period,uint256 end)",
        "Period {period} of licence {licence} ends at {end}.",
        "Report it after its end.",
    ),
    (
        "Licences_NotMissing(uint256 licence,uint256 period,uint256 deadline)",
        "The licensee may report period {period} of licence {licence} until {deadline}.",
        "Book it as missing after that.",
    ),
    (
        "Licences_NotReported(uint256 licence,uint256 period)",
        "Period {period} of licence {licence} has not been booked.",
        "Report it first.",
    ),
    (
        "Licences_StaleVersion(uint256 licence,uint256 period,uint256 given,uint256 standing)",
        "Version {standing} of period {period} of licence {licence} stands, not {given}.",
        "Perhaps this was sent before; read the period again.",
    ),
    (
        "Licences_FigureTooLarge(uint256 figure)",
        "The figure {figure} is 2^104 base units or more.",
        "Check the token's decimals.",
    ),
    (
        "Licences_AboveMaxDue(uint256 line,uint256 maxDue)",
        "The figures would make {line} base units due, more than the limit of {maxDue}.",
        "Check the figures for a typing error, then raise the limit.",
    ),
    (
        "Licences_LowersBase(uint256 standing,uint256 proposed)",
        "The restatement lowers the base from {standing} to {proposed}.",
        "Propose it: `licence-ledger report dispute`.",
    ),
    (
        "Licences_OpenDiffers(uint256 licence,uint256 period,uint256 believed,uint256 open)",
        "{open} base units are open for period {period} of licence {licence}, not {believed}.",
        "Perhaps this was paid before; see `licence-ledger report due`.",
    ),
    (
        "Licences_NothingOpen(uint256 licence,uint256 period)",
        "Nothing is open for period {period} of licence {licence}.",
        "Nothing is to be paid.",
    ),
    (
        "Licences_PaymentTooSmall(uint256 amount,uint256 interest)",
        "{amount} base units do not cover the interest of {interest} and one unit of principal.",
        "Pay at least the interest and one unit more.",
    ),
    (
        "Licences_VersionsUsedUp(uint256 licence,uint256 period)",
        "Period {period} of licence {licence} was restated too often.",
        "Propose other figures to the licensor.",
    ),
    # Licences: disputes, cure, end
    (
        "Licences_DisputeOpen(uint256 licence,uint256 period)",
        "A dispute over period {period} of licence {licence} is open.",
        "Settle it first: `licence-ledger report settle`.",
    ),
    (
        "Licences_NoDispute(uint256 licence,uint256 period)",
        "No dispute over period {period} of licence {licence} is open.",
        "Nothing is to be settled.",
    ),
    (
        "Licences_WindowClosed(uint256 licence,uint256 period,uint256 closedAt)",
        "The window for period {period} of licence {licence} closed at {closedAt}.",
        "The figures stand.",
    ),
    (
        "Licences_BadProposal(uint256 standing,uint256 proposed)",
        "The proposed base of {proposed} is not on the proposer's side of the standing {standing}.",
        "The licensee proposes lower figures, the licensor higher ones.",
    ),
    (
        "Licences_ArbiterUnavailable(uint256 licence,uint256 period)",
        "The arbiter was called before over period {period} of licence {licence}, or there is none.",
        "Accept, withdraw, or wait until the reported figures stand.",
    ),
    (
        "Licences_MayNotSettle(uint256 licence,uint256 period,address caller)",
        "{caller} may not settle the dispute over period {period} of licence {licence} this way now.",
        "The other side accepts, the proposer withdraws, the arbiter once called chooses unless it is a side itself.",
    ),
    (
        "Licences_NoBreach(uint256 licence,uint256 period)",
        "Period {period} of licence {licence} is not in breach.",
        "See `licence-ledger agenda` for what is overdue.",
    ),
    (
        "Licences_CureRunning(uint256 licence,uint256 until)",
        "The cure of licence {licence} runs until {until}, or no notice was given.",
        "Give notice, and wait for the cure to pass.",
    ),
    (
        "Licences_Ended(uint256 licence)",
        "Licence {licence} has ended.",
        "What is owed can still be paid and restated.",
    ),
    (
        "Licences_NotEnded(uint256 licence,uint256 end)",
        "Licence {licence} runs until {end} (0: without end).",
        "It can be recorded as expired after that.",
    ),
    (
        "Licences_Locked(uint256 licence)",
        "Licence {licence} cannot move: its terms, or something open, disputed or in cure, forbid it.",
        "Pay and settle what is open first.",
    ),
    (
        "Licences_UnexpectedCallback(address caller)",
        "{caller} called back although no payment was under way.",
        "Only Splits calls back.",
    ),
    *DISTRIBUTIONS,
    *ATTRIBUTIONS,
    # Errors of OpenZeppelin and of the language that a user can meet
    (
        "ERC20InsufficientBalance(address sender,uint256 balance,uint256 needed)",
        "{sender} has {balance} base units of the token; {needed} are needed.",
        "Fund the account; on a test chain `licence-ledger token mint`.",
    ),
    (
        "ERC20InsufficientAllowance(address spender,uint256 allowance,uint256 needed)",
        "{spender} may spend {allowance} base units; {needed} are needed.",
        "Approve it first: `licence-ledger token approve`.",
    ),
    (
        "ERC20InvalidReceiver(address receiver)",
        "The token refuses {receiver} as receiver.",
        "Name another address.",
    ),
    (
        "SafeERC20FailedOperation(address token)",
        "The token {token} refused the transfer.",
        "Check balance and allowance.",
    ),
    (
        "ERC721NonexistentToken(uint256 tokenId)",
        "There is no licence {tokenId}.",
        "See `licence-ledger licence list`.",
    ),
    (
        "ERC721InsufficientApproval(address operator,uint256 tokenId)",
        "{operator} may not move licence {tokenId}.",
        "Send it from the licensee's key.",
    ),
    (
        "ERC721InvalidReceiver(address receiver)",
        "{receiver} cannot receive licences.",
        "Use an account, or a contract that accepts ERC-721.",
    ),
    (
        "ERC721IncorrectOwner(address sender,uint256 tokenId,address owner)",
        "Licence {tokenId} belongs to {owner}, not to {sender}.",
        "Send it from the owner's key.",
    ),
    (
        "ReentrancyGuardReentrantCall()",
        "The contract was called back while it worked.",
        "The token or a receiver misbehaves.",
    ),
    (
        "SafeCastOverflowedUintDowncast(uint8 bits,uint256 value)",
        "{value} needs more than {bits} bits.",
        "Use smaller figures.",
    ),
    ("Error(string reason)", "The call was refused: {reason}.", "See the contract that refused it."),
    (
        "Panic(uint256 code)",
        "The contract's arithmetic or memory check {code} failed.",
        "Please report it as a bug.",
    ),
)

#: Names of the fields of ILicences.Terms, in order: what `Licences_BadTerms(which)` counts.
TERMS_FIELDS: tuple[str, ...] = (
    "document",
    "worksRoot",
    "catalogue",
    "licensee",
    "token",
    "scope",
    "exclusive",
    "start",
    "end",
    "transferable",
    "upfrontFee",
    "advance",
    "tiersOverLife",
    "deductionCapPpm",
    "guarantee",
    "cap",
    "lateRatePpm",
    "graceDays",
    "periodMonths",
    "daysToReport",
    "daysToPay",
    "cureDays",
    "attributionDuty",
    "distributions",
    "model",
    "attributor",
    "tiers",
)
