// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC721 } from "@openzeppelin/contracts/token/ERC721/IERC721.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { ICatalogues } from "../interfaces/ICatalogues.sol";
import { IDistributions } from "../interfaces/IDistributions.sol";
import { ILicences } from "../interfaces/ILicences.sol";
import { ISplits } from "../interfaces/ISplits.sol";
import { Errors } from "../libraries/Errors.sol";
import { Journal } from "../libraries/Journal.sol";
import { MerkleSum } from "../libraries/MerkleSum.sol";
import { Periods } from "../libraries/Periods.sol";
import { TermsCodec } from "../libraries/TermsCodec.sol";

/// @title DistributionStore
/// @notice What Distributions stores, and what every part of it reads: rounds, roles, dates.
abstract contract DistributionStore is Journal, IDistributions, ReentrancyGuardTransient {
    /// @dev Stages of a round.
    uint256 internal constant NONE = 0;
    uint256 internal constant OPEN = 1;
    uint256 internal constant OBJECTED = 2;
    uint256 internal constant STOOD = 3;
    uint256 internal constant FELL = 4;

    /// @dev The word of a round: commitment 208 | deadline 40 | flags 8; the commitment is cut to 208 bits, for which a
    ///      collision costs 2^104 hashes, so that a posting costs one word.
    uint256 internal constant STAGE_MASK = 7;
    uint256 internal constant BY_LICENSEE = 8;
    uint256 internal constant REPLACED = 16;
    uint256 internal constant BY_ARBITER = 32;
    uint256 internal constant FLAGS_MASK = 0xff;
    uint256 private constant DEADLINE_SHIFT = 8;
    uint256 private constant COMMITMENT_MASK = ~uint256(type(uint48).max);

    /// @dev How far back a fallback looks for a distribution that stood.
    uint256 private constant PERIODS_BACK = 12;
    uint256 private constant HELD_FOR = 730 days;

    /// @dev What a call on a period depends on, out of terms, licence and catalogue.
    struct Rules {
        uint256 catalogue;
        address token;
        address arbiter;
        uint256 disputeWindow;
        uint256 arbiterWindow;
        uint256 splitTime;
        Deadlines dates;
    }

    /// @dev One round of one period.
    struct Place {
        uint256 licence;
        uint256 period;
        bytes32 salt;
        uint256 round;
    }

    /// @inheritdoc IDistributions
    ILicences public immutable override licences;
    /// @inheritdoc IDistributions
    ISplits public immutable override splits;
    /// @inheritdoc IDistributions
    ICatalogues public immutable override catalogues;

    mapping(bytes32 salt => mapping(uint256 round => uint256)) internal _rounds;
    /// @dev What a settled round has moved, where that is not the distribution's total of a round that stood.
    mapping(bytes32 salt => mapping(uint256 round => uint256)) internal _moved;
    mapping(bytes32 salt => mapping(uint256 round => bytes32)) internal _objections;

    constructor(ILicences licences_) {
        licences = licences_;
        splits = licences_.splits();
        catalogues = licences_.catalogues();
    }

    // Rounds

    function _placeOf(uint256 licence, uint256 period, uint256 round) internal view returns (Place memory place) {
        place.licence = licence;
        place.period = period;
        place.salt = Periods.saltOf(address(licences), licence, period);
        place.round = round;
    }

    /// @dev The round of the last of these distributions.
    function _lastPlace(
        uint256 licence,
        uint256 period,
        Distribution[] calldata rounds
    ) internal view returns (Place memory) {
        if (rounds.length == 0) revert Errors.Distributions_Mismatch(licence, period, 0);
        return _placeOf(licence, period, rounds.length - 1);
    }

    /// @dev The word of a round that has to be in this stage.
    function _wordIn(Place memory place, uint256 stage) internal view returns (uint256 word) {
        word = _rounds[place.salt][place.round];
        if (word & STAGE_MASK != stage) {
            revert Errors.Distributions_WrongStage(place.licence, place.period, place.round, word & STAGE_MASK);
        }
    }

    function _requireCommitted(Place memory place, uint256 word, Distribution memory given) internal pure {
        if (_commitmentOf(given) != _commitmentIn(word)) {
            revert Errors.Distributions_Mismatch(place.licence, place.period, place.round);
        }
    }

    function _requireObjection(Place memory place, Objection calldata given) internal view {
        if (keccak256(abi.encode(given)) != _objections[place.salt][place.round]) {
            revert Errors.Distributions_ObjectionMismatch(place.licence, place.period, place.round);
        }
    }

    function _wordOf(Distribution memory what, uint256 deadline, uint256 flags) internal pure returns (uint256) {
        return _commitmentOf(what) | (deadline << DEADLINE_SHIFT) | flags;
    }

    function _commitmentOf(Distribution memory what) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(what))) & COMMITMENT_MASK;
    }

    function _commitmentIn(uint256 word) internal pure returns (uint256) {
        return word & COMMITMENT_MASK;
    }

    function _deadlineOf(uint256 word) internal pure returns (uint256) {
        return uint40(word >> DEADLINE_SHIFT);
    }

    function _requireOpen(Place memory place, uint256 word) internal view {
        uint256 deadline = _deadlineOf(word);
        if (block.timestamp > deadline) {
            revert Errors.Distributions_WindowClosed(place.licence, place.period, deadline);
        }
    }

    function _requireClosed(Place memory place, uint256 word) internal view {
        uint256 deadline = _deadlineOf(word);
        if (block.timestamp <= deadline) {
            revert Errors.Distributions_WindowOpen(place.licence, place.period, deadline);
        }
    }

    // Roles

    /// @dev Whether the caller is the side that posted.
    function _isPoster(uint256 licence, uint256 catalogue, uint256 word) internal view returns (bool) {
        return msg.sender == (word & BY_LICENSEE == 0 ? catalogues.ownerOf(catalogue) : _licenseeOf(licence));
    }

    function _licenseeOf(uint256 licence) internal view returns (address) {
        return IERC721(address(licences)).ownerOf(licence);
    }

    // Terms and dates

    /// @dev Checks the terms against the licence's hash; works out what follows from them for a period.
    function _rulesOf(uint256 licence, bytes calldata data, uint256 period) internal view returns (Rules memory rules) {
        if (keccak256(data) != licences.termsHashOf(licence)) revert Errors.Distributions_TermsMismatch(licence);
        TermsCodec.Words calldata terms = TermsCodec.inPlace(data);
        if (terms.distributions != uint160(address(this))) {
            revert Errors.Distributions_Elsewhere(licence, address(uint160(terms.distributions)));
        }
        ILicences.State memory state = licences.stateOf(licence);
        Periods.Span memory span;
        if (terms.periodMonths != 0 && period <= type(uint16).max) {
            Periods.fill(span, terms, state.acceptedAt, Periods.stopOf(terms, state.stop), period);
        }
        if (span.start >= span.end) revert Errors.Distributions_NoSuchPeriod(licence, period);
        rules.catalogue = terms.catalogue;
        rules.token = address(uint160(terms.token));
        rules.splitTime = Periods.splitTime(state.acceptedAt, period, span.start);
        (rules.arbiter, , rules.disputeWindow, rules.arbiterWindow) = catalogues.rulesOf(terms.catalogue);
        _fillDates(rules, span, terms.cureDays);
    }

    /// @dev After the last replacement at postBy + dw come two windows more, and the arbiter's: they end at `decidedBy`.
    function _fillDates(Rules memory rules, Periods.Span memory span, uint256 cureDays) private pure {
        Deadlines memory dates = rules.dates;
        // Nothing wraps: times of periods are below 2^43, windows below 2^29.
        unchecked {
            dates.start = span.start;
            dates.end = span.end;
            dates.payBy = span.payBy;
            dates.licensorBy = span.payBy + cureDays * 1 days;
            dates.postBy = dates.licensorBy + rules.disputeWindow;
            dates.decidedBy = dates.postBy + 2 * rules.disputeWindow + rules.arbiterWindow;
            dates.heldUntil = dates.decidedBy + HELD_FOR;
        }
    }

    /// @dev The window for objections that begins now, if it and the arbiter's end before the round's last date.
    function _windowFrom(Place memory place, Rules memory rules) internal view returns (uint256 deadline) {
        deadline = block.timestamp + rules.disputeWindow;
        uint256 lastDate = place.round == 0 ? rules.dates.decidedBy : rules.dates.heldUntil;
        if (deadline + rules.arbiterWindow > lastDate) {
            revert Errors.Distributions_TooLate(place.licence, place.period, lastDate);
        }
    }

    // The fallback

    /// @inheritdoc IDistributions
    function lastStood(uint256 licence, uint256 period) public view returns (bool found, uint256 lastPeriod) {
        for (uint256 back = 1; back <= PERIODS_BACK && back <= period; ++back) {
            lastPeriod = period - back;
            bytes32 salt = Periods.saltOf(address(licences), licence, lastPeriod);
            if (_rounds[salt][0] & STAGE_MASK == STOOD) return (true, lastPeriod);
        }
        return (false, 0);
    }

    /// @dev What a period falls back to: the last distribution that stood, for as much as it gave, and the standing split.
    function _fillFallback(
        Objection memory objection,
        Place memory place,
        bytes32 standing,
        Distribution calldata last
    ) internal view {
        objection.standingSplit = standing;
        (bool found, uint256 lastPeriod) = lastStood(place.licence, place.period);
        if (!found) return;
        Place memory lastPlace = _placeOf(place.licence, lastPeriod, 0);
        _requireCommitted(lastPlace, _rounds[lastPlace.salt][0], last);
        objection.lastSplit = last.splitId;
        objection.lastTotal = last.total;
    }

    /// @dev The rounds of a fallback: all of them are settled at once, and the last one takes everything.
    function _fallbackRounds(
        address token,
        Objection memory objection
    ) internal pure returns (Distribution[] memory rounds) {
        bytes32 lastSplit = objection.lastSplit;
        rounds = new Distribution[](lastSplit == 0 ? 1 : 2);
        rounds[rounds.length - 1] = _everythingTo(token, objection.standingSplit);
        if (lastSplit != 0) {
            rounds[0] = Distribution({ token: token, splitId: lastSplit, total: objection.lastTotal, amount: 0 });
        }
    }

    function _everythingTo(address token, bytes32 splitId) internal pure returns (Distribution memory) {
        return Distribution({ token: token, splitId: splitId, total: 1, amount: 1 });
    }

    /// @dev The id of a split that is published and sums to at most `amount`.
    function _requireSplit(ISplits.Split calldata split, uint256 amount) internal view returns (bytes32 splitId) {
        splitId = MerkleSum.idOf(split);
        if (!splits.isPublished(splitId)) revert Errors.Distributions_SplitNotPublished(splitId);
        if (split.total > amount) revert Errors.Distributions_TotalAboveAmount(split.total, amount);
    }
}
