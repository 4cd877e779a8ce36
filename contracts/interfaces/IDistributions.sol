// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ICatalogues } from "./ICatalogues.sol";
import { ILicences } from "./ILicences.sol";
import { ISplits, ISplitsPayer } from "./ISplits.sol";

/// @title IDistributions
/// @notice Which split the money of a usage-weighted period goes to. Licences puts that money into an account of Splits;
///         here a split for it is posted, objected to, decided, and the money moved. No other way leads out of the account.
/// @dev The account of a period is Splits.accountId(this contract, salt), salt = keccak256(abi.encode(licences, licence,
///      period)). Its money passes through rounds, in order. With F all that ever arrived in the account:
///
///      in(0)     = F
///      moved(r)  = floor(in(r) × total / amount), or min(in(r), total) where amount is 0, once round r is settled
///      in(r + 1) = in(r) − moved(r): what round r holds
///
///      All of them only grow with F, so money that comes late takes the same way in the same proportions. `total` are
///      the units of the posted split, which are base units: with F = amount each leaf gets exactly its units.
///
///      Dates of a period, dw and aw being the catalogue's dispute and arbiter windows:
///
///      licensorBy = payBy + cureDays, until which only the licensor posts round 0
///      postBy     = licensorBy + dw, until which licensor or licensee posts it
///      decidedBy  = licensorBy + 3·dw + aw, the hard deadline, after which the fallback is carried out
///      heldUntil  = decidedBy + 730 days, after which what is held is released into the split of round 0
///
///      The word of a round: 208 high bits of keccak256(abi.encode(Distribution)) | deadline 40 bits | flags 8 bits, which
///      are stage (3 bits), posted by the licensee (8), replaced (16), posted by the arbiter (32). Distributions and
///      objections travel as calldata against these hashes; the journal tells them.
interface IDistributions is ISplitsPayer {
    /// @notice What a round's money is moved by.
    /// @param token the ERC-20 of the licence's terms
    /// @param splitId a published split
    /// @param total base units that go to the split out of `amount`: the units of the split
    /// @param amount base units that it was posted for; what is left is held. Zero: everything up to `total`
    struct Distribution {
        address token;
        bytes32 splitId;
        uint256 total;
        uint256 amount;
    }

    /// @notice What is posted for a round.
    /// @param split a published split, its units being base units
    /// @param amount base units that the split and what is held sum to; at most what waits for the round
    /// @param usageHash keccak256 of the usage file
    /// @param manifestRoot root of the works manifest that was applied
    /// @param ruleHash keccak256 of the allocation rule
    /// @param uri where the files lie
    struct Posting {
        ISplits.Split split;
        uint256 amount;
        bytes32 usageHash;
        bytes32 manifestRoot;
        bytes32 ruleHash;
        string uri;
    }

    /// @notice How a payee objects.
    /// @param leaf a leaf of the caller in the posted split or in the standing split of the period; its token is not read
    /// @param counter the published split that the caller wants instead, for the same amount; total zero: the fallback
    /// @param last the distribution of the period that `lastStood` names; not read where there is none, or after round 0
    /// @param pay base units to be pulled from the caller as the bond; what arrives has to be at least `bondOf`
    struct Protest {
        ISplits.Leaf leaf;
        ISplits.Split counter;
        Distribution last;
        uint256 pay;
    }

    /// @notice An objection under way.
    /// @param objector who objected, and is paid the bond back if upheld
    /// @param bond base units that arrived as the bond
    /// @param counterSplit the counter-split, zero: none
    /// @param counterTotal its units
    /// @param lastSplit split of the last distribution that stood, zero: none, or after round 0
    /// @param lastTotal base units that went to it by its posting: the most that the fallback gives it
    /// @param standingSplit the standing split of the period, which the fallback gives the rest; zero after round 0, where
    ///        the fallback is that the money stays held
    struct Objection {
        address objector;
        uint256 bond;
        bytes32 counterSplit;
        uint256 counterTotal;
        bytes32 lastSplit;
        uint256 lastTotal;
        bytes32 standingSplit;
    }

    /// @notice The dates of a period, Unix seconds; each is the last second of its right.
    struct Deadlines {
        uint256 start;
        uint256 end;
        uint256 payBy;
        uint256 licensorBy;
        uint256 postBy;
        uint256 decidedBy;
        uint256 heldUntil;
    }

    /// @notice A round as it is stored.
    /// @param stage 0 nothing posted, 1 open to objections, 2 objected to, 3 stood (as posted or countered), 4 fell back or
    ///        was released
    /// @param byLicensee whether the licensee posted it, else the licensor
    /// @param replaced whether its one replacement is used up
    /// @param byArbiter whether the arbiter posted, replaced or conceded, and so may not choose
    /// @param deadline last second to object (stage 1), or for the arbiter's choice (stage 2)
    /// @param commitment the high 208 bits of its distribution's hash
    /// @param objection keccak256(abi.encode(Objection)) in stage 2
    /// @param moved base units moved by a later sweep or a fallback; zero in stage 3: the distribution's total
    struct Round {
        uint256 stage;
        bool byLicensee;
        bool replaced;
        bool byArbiter;
        uint256 deadline;
        bytes32 commitment;
        bytes32 objection;
        uint256 moved;
    }

    /// @notice What can be done about a period now.
    /// @param round the first round that is not settled
    /// @param stage its stage
    /// @param step 0 nothing yet, 1 the licensor may post, 2 licensor or licensee may post, 3 holders may object, 4 anyone
    ///        may settle, 5 the arbiter may choose, 6 anyone may close the objection, 7 anyone may fall back, 8 anyone may
    ///        release what is held, 9 all is done
    /// @param until last second of this step, zero: no end
    /// @param waits base units that wait for the round
    /// @param sweepable base units that a sweep would move through the settled rounds
    struct Outlook {
        uint256 round;
        uint256 stage;
        uint256 step;
        uint256 until;
        uint256 waits;
        uint256 sweepable;
    }

    // Entries of the journal. The indexed id is the licence.

    /// @notice A distribution was posted for a round, or replaced the one posted before (`replacing`). `role` is 1 for the
    ///         licensor, 2 for the licensee; `waits` waited for the round; objections are heard until `deadline`.
    event Posted(
        bytes32 indexed licence,
        address caller,
        uint256 period,
        uint256 round,
        uint256 role,
        bool replacing,
        address arbiter,
        address token,
        bytes32 splitId,
        uint256 total,
        uint256 amount,
        uint256 waits,
        uint256 deadline,
        bytes32 usageHash,
        bytes32 manifestRoot,
        bytes32 ruleHash,
        string uri
    );
    /// @notice The payee of `leaf` at `index` of `splitId` objected; the arbiter has until `deadline`. `token`, `posted`,
    ///         `postedTotal` and `amount` are the distribution objected to; the fields from `objector` on are the Objection.
    event Objected(
        bytes32 indexed licence,
        address caller,
        uint256 period,
        uint256 round,
        address token,
        bytes32 posted,
        uint256 postedTotal,
        uint256 amount,
        bytes32 splitId,
        uint256 index,
        bytes32 leaf,
        uint256 deadline,
        address objector,
        uint256 bond,
        bytes32 counterSplit,
        uint256 counterTotal,
        bytes32 lastSplit,
        uint256 lastTotal,
        bytes32 standingSplit
    );
    /// @notice The poster put the counter-split in the place of its own; objections to it are heard until `deadline`.
    event Conceded(
        bytes32 indexed licence,
        address caller,
        uint256 period,
        uint256 round,
        address token,
        bytes32 splitId,
        uint256 total,
        uint256 amount,
        uint256 deadline
    );
    /// @notice A round was settled. `outcome` is 1 nobody objected, 2 the arbiter chose the posted split, 3 it chose the
    ///         counter-split, 4 it chose the fallback, 5 it was silent, 6 nothing was posted, 7 what was held is released.
    ///         `arrived` is in(round), `moved` what of it has gone to the split.
    event Settled(
        bytes32 indexed licence,
        address caller,
        uint256 period,
        uint256 round,
        uint256 outcome,
        address token,
        bytes32 splitId,
        uint256 total,
        uint256 amount,
        uint256 arrived,
        uint256 moved
    );
    /// @notice A posting of a round after the first was turned down by outcome 4 or 5; the money stays held.
    event StayedHeld(bytes32 indexed licence, address caller, uint256 period, uint256 round, uint256 outcome);
    /// @notice Late money passed through a settled round: `moved` in all has gone to its split, out of `arrived`.
    event Swept(
        bytes32 indexed licence,
        address caller,
        uint256 period,
        uint256 round,
        address token,
        bytes32 splitId,
        uint256 arrived,
        uint256 moved
    );
    /// @notice The account of a bond was moved: to the objector's own one-leaf split if `upheld`, else to the split that the
    ///         round's money went to.
    event BondMoved(
        bytes32 indexed licence,
        address caller,
        uint256 period,
        uint256 round,
        address objector,
        bool upheld,
        address token,
        bytes32 splitId,
        uint256 amount
    );

    // Posting

    /// @notice Posts a distribution for the first round that is not settled. Round 0: the licensor until `licensorBy`, then
    ///         licensor or licensee until `postBy`. Later rounds: the licensor, in time for all windows before `heldUntil`.
    /// @dev Only once the period is over, for a published split whose total is at most `amount`, itself at most what waits.
    /// @param settled the distributions of all settled rounds, in order
    function post(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata settled,
        Posting calldata posting
    ) external;

    /// @notice Replaces what was posted, once, while objections are heard and none was made. Only the side that posted.
    /// @param settled the distributions of all settled rounds, in order
    function replace(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata settled,
        Posting calldata posting
    ) external;

    // Objection

    /// @notice Objects to what was posted, with a bond, pulled from the caller by its allowance to this contract. A payee of
    ///         the posted split or of the period's standing split; the arbiter may not. It cannot be withdrawn.
    /// @dev The fallback among which the arbiter may choose is fixed now.
    /// @param rounds the distributions of all settled rounds and, last, the one posted
    function object(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata rounds,
        Protest calldata protest
    ) external;

    /// @notice Puts the counter-split in the place of the posted one: as the one replacement, open to objections anew. The
    ///         bond goes back. Only the side that posted, until the arbiter's deadline, in time for all windows.
    /// @param rounds the distributions of all settled rounds and, last, the one posted
    function concede(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata rounds,
        Objection calldata objection
    ) external;

    /// @notice The arbiter chooses: 1 the posted split, 2 the counter-split, 3 the fallback. Only the catalogue's arbiter
    ///         until its deadline, unless it is licensor, licensee or poster.
    /// @param rounds the distributions of all settled rounds and, last, the one posted
    function choose(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata rounds,
        Objection calldata objection,
        uint256 choice
    ) external;

    // Money

    /// @notice Settles a round that nobody objected to in time, and moves its money. Anyone.
    /// @param rounds the distributions of all settled rounds and, last, the one posted
    function settle(uint256 licence, uint256 period, Distribution[] calldata rounds) external;

    /// @notice Carries out the fallback where the arbiter was silent until its deadline. Anyone.
    /// @param rounds the distributions of all settled rounds and, last, the one posted
    function closeObjection(
        uint256 licence,
        uint256 period,
        Distribution[] calldata rounds,
        Objection calldata objection
    ) external;

    /// @notice Carries out the fallback where nothing was posted: after `decidedBy`, once there is money. Anyone. Up to what
    ///         the last distribution that stood gave its split goes there, the rest to the standing split of the period.
    /// @param last the distribution of the period that `lastStood` names; not read where there is none
    function fallBack(uint256 licence, bytes calldata terms, uint256 period, Distribution calldata last) external;

    /// @notice Moves what arrived since through all settled rounds. Anyone, at any time.
    /// @param rounds the distributions of all settled rounds, in order
    /// @return moved base units, at least 1
    function sweep(uint256 licence, uint256 period, Distribution[] calldata rounds) external returns (uint256 moved);

    /// @notice Releases all that is still held into the split of round 0, after `heldUntil`. Anyone.
    /// @param rounds the distributions of all settled rounds, in order
    function release(uint256 licence, bytes calldata terms, uint256 period, Distribution[] calldata rounds) external;

    // Views

    /// @notice The licences whose periods are distributed here.
    function licences() external view returns (ILicences);
    /// @notice Where the money is.
    function splits() external view returns (ISplits);
    /// @notice Where the catalogues are.
    function catalogues() external view returns (ICatalogues);
    /// @notice The dates of a period, as the licence's end now stands; they are final once the period is over.
    function deadlinesOf(
        uint256 licence,
        bytes calldata terms,
        uint256 period
    ) external view returns (Deadlines memory);
    /// @notice A round's stored state.
    function roundOf(uint256 licence, uint256 period, uint256 round) external view returns (Round memory);
    /// @notice What can be done about a period now.
    /// @param rounds the distributions of all settled rounds, in order
    function outlookOf(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata rounds
    ) external view returns (Outlook memory);
    /// @notice The last of the 12 periods before this one whose round 0 stood.
    function lastStood(uint256 licence, uint256 period) external view returns (bool found, uint256 lastPeriod);
    /// @notice The standing split of a period: in force at its start, or at acceptance where that is later.
    function standingSplit(uint256 licence, bytes calldata terms, uint256 period) external view returns (bytes32);
    /// @notice The least bond against a posting: 1 % of its amount, rounded up.
    function bondOf(uint256 amount) external pure returns (uint256);
    /// @notice The salt of a period's account.
    function saltOf(uint256 licence, uint256 period) external view returns (bytes32);
    /// @notice The salt of the account of a round's bond: keccak256(abi.encode(salt of the period, round, "bond")).
    function bondSaltOf(uint256 licence, uint256 period, uint256 round) external view returns (bytes32);
}
