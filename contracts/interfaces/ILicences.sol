// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ICatalogues } from "./ICatalogues.sol";
import { ISplits, ISplitsPayer } from "./ISplits.sol";

/// @title ILicences
/// @notice The grants: ERC-721 licences with hashed terms. Offer, accept, report, restate, pay, dispute, cure, end.
/// @dev Amounts are base units of the terms' token, times Unix seconds, rates parts per million. Terms travel as
///      `abi.encode(Terms)` and are checked against the stored keccak256 of those bytes.
///
///      What is owed, for the figures booked so far (b base, T marginal tiers, G guarantee, R royalty, Y owed in all):
///
///      b(k) = gross − min(deductions, floor(gross × deductionCap / 1e6))
///      T(x) = floor(Σ over tiers of (part of x in the tier × rate) / 1e6)
///      G(k) = floor(guarantee × seconds of the period within [start, stop) / seconds of the calendar period)
///      R    = Σ max(T(b(k)), G(k)), or over the life max(T(Σ b(k)), Σ G(k))
///      Y    = min(cap, max(0, R − advance))
///      line = Y after − Y before, signed, of the period that was booked or restated
///
///      Due date of a period = max(end of period, acceptance) + daysToPay; interest runs from the due date plus grace:
///      open × lateRate × seconds / (1e6 × 365 days), kept as a numerator and floored when paid.
interface ILicences is ISplitsPayer {
    /// @notice One marginal tier: net revenue up to `upTo` (absolute, exclusive of lower tiers) at `ratePpm`.
    struct Tier {
        uint128 upTo;
        uint32 ratePpm;
    }

    /// @notice The terms that the chain enforces.
    /// @param document keccak256 of the canonical JSON of the terms document
    /// @param worksRoot root of the works manifest that is licensed
    /// @param catalogue number of the catalogue; its owner is the licensor
    /// @param licensee who may accept; zero: anyone
    /// @param token the ERC-20 of all amounts
    /// @param scope bit set of permitted uses, bit 0 to 9: train, fine-tune, inference, retrieval, index, evaluate,
    ///        commercial output, distribute weights, sublicense, synthetic data
    /// @param exclusive subset of `scope` granted exclusively
    /// @param start first second of the term
    /// @param end first second after the term; zero: perpetual
    /// @param transferable whether the licence may change hands
    /// @param upfrontFee paid at acceptance
    /// @param advance whether royalties recoup the upfront fee
    /// @param tiersOverLife whether tiers count the revenue of the whole life, else of each period
    /// @param deductionCapPpm largest deductions, as a part of gross
    /// @param guarantee least royalty of a full period
    /// @param cap most royalties over the life; zero: none
    /// @param lateRatePpm simple interest a year
    /// @param graceDays days after the due date before interest runs and a breach can be called
    /// @param periodMonths 1, 3, 6 or 12; zero: no reports (then no tiers and no guarantee)
    /// @param daysToReport days after a period's end for its report
    /// @param daysToPay days after a period's end for its payment, at least daysToReport
    /// @param cureDays days to cure a breach after notice
    /// @param attributionDuty 0 none, 1 source list, 2 per output, 3 public credit
    /// @param distributions contract that distributes usage-weighted periods; zero: the catalogue's split
    /// @param model keccak256 of the UTF-8 text of model id, line feed, model version; zero: any model
    /// @param attributor who may record outputs beside the licensee; zero: nobody
    /// @param tiers marginal tiers, `upTo` rising, the last one 2^128 − 1; at most 16
    struct Terms {
        bytes32 document;
        bytes32 worksRoot;
        uint256 catalogue;
        address licensee;
        address token;
        uint16 scope;
        uint16 exclusive;
        uint40 start;
        uint40 end;
        bool transferable;
        uint128 upfrontFee;
        bool advance;
        bool tiersOverLife;
        uint32 deductionCapPpm;
        uint128 guarantee;
        uint128 cap;
        uint32 lateRatePpm;
        uint16 graceDays;
        uint8 periodMonths;
        uint16 daysToReport;
        uint16 daysToPay;
        uint16 cureDays;
        uint8 attributionDuty;
        address distributions;
        bytes32 model;
        address attributor;
        Tier[] tiers;
    }

    /// @notice What the licensor offers, on chain or by EIP-712 signature over
    ///         Offer(bytes32 termsHash,address token,uint256 upfrontFee,uint256 nonce,uint256 deadline,string uri).
    /// @param nonce single use, chosen by the licensor
    /// @param deadline last second for acceptance
    /// @param uri where the terms document lies
    struct Offer {
        uint256 nonce;
        uint256 deadline;
        string uri;
    }

    /// @notice An EIP-2612 permit to Licences; `deadline` zero: none. A permit that fails is passed over.
    struct Permit {
        uint256 value;
        uint256 deadline;
        uint8 v;
        bytes32 r;
        bytes32 s;
    }

    /// @notice Absolute figures of one period.
    /// @param period number of the period, from 0
    /// @param version the version that the figures replace; zero for a first report
    /// @param gross gross revenue
    /// @param deductions deductions before the cap
    /// @param maxDue the largest line that the caller accepts
    /// @param reportHash keccak256 of the report file
    struct Figures {
        uint256 period;
        uint256 version;
        uint256 gross;
        uint256 deductions;
        uint256 maxDue;
        bytes32 reportHash;
    }

    /// @notice State of a licence as it is stored.
    /// @param status 0 unknown, 1 active, 2 expired by `expire`, 3 terminated
    /// @param stop when it was terminated; zero: not
    /// @param sumA over the life: Σ base; else: Σ max(T, G)
    /// @param sumB over the life: Σ guarantee; else unused
    struct State {
        uint256 status;
        uint256 acceptedAt;
        uint256 stop;
        uint256 nextPeriod;
        uint256 openPeriods;
        uint256 openDisputes;
        bool transferable;
        uint256 setOff;
        uint256 sumA;
        uint256 sumB;
        uint256 cureUntil;
        uint256 curePeriod;
    }

    /// @notice State of a period as it is stored.
    /// @param version 0 before it is booked
    /// @param interestNumerator interest × 1e6 × 365 days, up to `interestUpTo`
    struct Period {
        uint256 base;
        uint256 open;
        uint256 version;
        uint256 bookedAt;
        uint256 interestNumerator;
        uint256 interestUpTo;
    }

    /// @notice A dispute over a period.
    /// @param proposer 0 none, 1 licensee (lower), 2 licensor (higher)
    /// @param deadline to answer; once the arbiter is called, for its choice
    struct Dispute {
        uint256 proposer;
        uint256 proposedBase;
        uint256 deadline;
        bool arbiterCalled;
    }

    // Entries of the journal. `destination` is the split id that is credited, or the account of a weighted licence.

    /// @notice The licensor put an offer on chain.
    event Offered(bytes32 indexed offerId, address caller, bytes terms, uint256 nonce, uint256 deadline, string uri);
    /// @notice The licensor made a nonce unusable.
    event NonceCancelled(bytes32 indexed licensor, address caller, uint256 nonce);
    /// @notice A licence was granted; `fee` is what arrived at `destination`.
    event Accepted(
        bytes32 indexed licence,
        address caller,
        address licensor,
        bytes32 offerId,
        uint256 nonce,
        bytes32 destination,
        uint256 fee,
        bytes terms,
        string uri
    );
    /// @notice Figures were booked. `kind` is 1 report, 2 missing, 3 restatement, 4 dispute settled. `line` is signed;
    ///         `cancelled` is what a negative line took off what was open, `setOff` what was set off against a positive
    ///         line, or added by a negative one; `paid` is the principal that arrived in the same call, unless interest
    ///         was paid with it: then it is zero here, and a Paid entry follows. Of kind 4, gross, deductions and
    ///         reportHash are those of the Objected entry, and zero here.
    event Booked(
        bytes32 indexed licence,
        address caller,
        uint256 kind,
        uint256 period,
        uint256 version,
        uint256 gross,
        uint256 deductions,
        uint256 base,
        int256 line,
        bytes32 destination,
        uint256 cancelled,
        uint256 setOff,
        uint256 paid,
        bytes32 reportHash
    );
    /// @notice Overpaid money of one destination was set off against a line of another, or of the same.
    event SetOffUsed(
        bytes32 indexed licence,
        address caller,
        uint256 period,
        bytes32 source,
        bytes32 destination,
        uint256 amount
    );
    /// @notice A payment arrived for a period: interest first, then principal.
    event Paid(
        bytes32 indexed licence,
        address caller,
        uint256 period,
        bytes32 destination,
        uint256 interest,
        uint256 principal,
        uint256 open
    );
    /// @notice One side proposed other figures for a period.
    event Objected(
        bytes32 indexed licence,
        address caller,
        uint256 period,
        uint256 version,
        uint256 proposer,
        uint256 gross,
        uint256 deductions,
        uint256 base,
        uint256 deadline,
        bytes32 reportHash
    );
    /// @notice One side called the arbiter, who has until `deadline`.
    event ArbiterCalled(bytes32 indexed licence, address caller, uint256 period, address arbiter, uint256 deadline);
    /// @notice A dispute ended: the proposed figures stand if `accepted`, else those reported.
    event Settled(bytes32 indexed licence, address caller, uint256 period, bool accepted);
    /// @notice The licensor gave notice of a breach.
    event NoticeGiven(bytes32 indexed licence, address caller, uint256 period, uint256 cureUntil);
    /// @notice The breach was cured.
    event Cured(bytes32 indexed licence, address caller, uint256 period);
    /// @notice The licence was terminated for a breach that was not cured; `lapsed` is the set-off that ended with it.
    event Terminated(bytes32 indexed licence, address caller, uint256 period, uint256 lapsed);
    /// @notice The licence's end was recorded and its scope freed; `lapsed` is the set-off that ended with it.
    event Expired(bytes32 indexed licence, address caller, uint256 lapsed);
    /// @notice The licence changed hands.
    event Moved(bytes32 indexed licence, address caller, address from, address to);

    // Offer and acceptance

    /// @notice Puts an offer on chain. Only the owner of the terms' catalogue.
    /// @return offerId the EIP-712 digest of the offer, the same that a signature would sign
    function offer(bytes calldata terms, Offer calldata what) external returns (bytes32 offerId);

    /// @notice Makes a nonce of the caller unusable, on chain and by signature.
    function cancelNonce(uint256 nonce) external;

    /// @notice Accepts an offer: pulls the upfront fee from the caller, mints the licence to it.
    /// @param signature the licensor's EIP-712 signature (EOA or ERC-1271); empty: the offer is on chain
    /// @return licence its number, from 1
    function accept(
        bytes calldata terms,
        Offer calldata what,
        bytes calldata signature,
        Permit calldata permit
    ) external returns (uint256 licence);

    // Reports and money

    /// @notice Reports the next period, and pays its line at once (`payNow`) or leaves it open. Only the licensee.
    function report(
        uint256 licence,
        bytes calldata terms,
        Figures calldata figures,
        bool payNow
    ) external returns (int256 line);

    /// @notice Reports several periods of one licence, in order.
    function reportMany(uint256 licence, bytes calldata terms, Figures[] calldata figures, bool payNow) external;

    /// @notice Books a period at zero once its report deadline has passed. Anyone.
    function bookMissing(uint256 licence, bytes calldata terms, uint256 period) external returns (int256 line);

    /// @notice Replaces the figures of a booked period by others that do not lower its base. Only the licensee.
    function restate(uint256 licence, bytes calldata terms, Figures calldata figures) external returns (int256 line);

    /// @notice Pays up to `amount` of what is open for a period, interest first. Anyone.
    /// @dev A payment covers all interest and at least one unit of principal, or, where no principal is open, all
    ///      interest; so the belief about version and open principal makes a payment that is sent again revert.
    /// @param version the period's version that the payer has seen
    /// @param believedOpen the open principal that the payer has seen
    /// @return interest paid, principal paid, in base units that arrived
    function pay(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        uint256 version,
        uint256 believedOpen,
        uint256 amount
    ) external returns (uint256 interest, uint256 principal);

    // Disputes

    /// @notice Proposes other figures: the licensee lower ones, the licensor higher ones, within the catalogue's window
    ///         after the standing version was booked. `maxDue` is not used.
    function object(uint256 licence, bytes calldata terms, Figures calldata figures) external;

    /// @notice Calls the catalogue's arbiter to choose. Either side, before the dispute's deadline.
    function callArbiter(uint256 licence, bytes calldata terms, uint256 period) external;

    /// @notice Ends a dispute. The other side may accept it, the proposer may withdraw it, the arbiter once called
    ///         chooses unless it is licensor or licensee, and after the deadline anyone may let the reported figures
    ///         stand.
    function settle(uint256 licence, bytes calldata terms, uint256 period, bool accepted) external;

    // Breach and end

    /// @notice Gives notice that a period is overdue: unpaid after due date and grace, or not reported. Only the licensor.
    /// @dev What the licensee disputes is not overdue, unless the figures were restated or settled after due date and grace.
    function giveNotice(uint256 licence, bytes calldata terms, uint256 period) external;

    /// @notice Terminates a licence whose breach was not cured in time. Only the licensor.
    function terminate(uint256 licence, bytes calldata terms) external;

    /// @notice Records that the term is over and frees the scope. Anyone.
    function expire(uint256 licence, bytes calldata terms) external;

    // Views

    /// @notice Where the money goes.
    function splits() external view returns (ISplits);
    /// @notice Where the catalogues are.
    function catalogues() external view returns (ICatalogues);
    /// @notice How many licences were granted.
    function count() external view returns (uint256);
    /// @notice keccak256 of the terms bytes of a licence.
    /// @dev Reverts while a call of Licences is under way: in the middle of an acceptance the licence is there and its
    ///      entry is not.
    function termsHashOf(uint256 licence) external view returns (bytes32);
    /// @notice What other contracts ask about a licence, in one call: keccak256 of its terms bytes, who holds it, and
    ///         when it was terminated (zero: it was not).
    /// @dev Reverts while a call of Licences is under way.
    function grantOf(uint256 licence) external view returns (bytes32 termsHash, address licensee, uint256 terminatedAt);
    /// @notice A licence's stored state.
    function stateOf(uint256 licence) external view returns (State memory);
    /// @notice A period's stored state.
    function periodOf(uint256 licence, uint256 period) external view returns (Period memory);
    /// @notice A period's dispute.
    function disputeOf(uint256 licence, uint256 period) external view returns (Dispute memory);
    /// @notice One source of the set-off: the destination that was overpaid, and how much of it is left. The oldest is
    ///         at index 0 and is used first; zeros past the last one.
    function setOffAt(uint256 licence, uint256 index) external view returns (bytes32 destination, uint256 amount);
    /// @notice Whether a nonce of a licensor was used or cancelled.
    function nonceUsed(address licensor, uint256 nonce) external view returns (bool);
    /// @notice Who put the offer on chain; zero: nobody.
    function offeredBy(bytes32 offerId) external view returns (address);
    /// @notice The EIP-712 digest that an offer's signature signs.
    function offerIdOf(bytes calldata terms, Offer calldata what) external view returns (bytes32);
    /// @notice Live licences, and live exclusive ones, of a catalogue on one scope bit.
    function liveOf(uint256 catalogue, uint256 bit) external view returns (uint256 live, uint256 exclusive);
    /// @notice ERC-5192: whether a transfer would be refused now.
    function locked(uint256 licence) external view returns (bool);
}
