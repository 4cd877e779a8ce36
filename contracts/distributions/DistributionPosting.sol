// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IDistributions } from "../interfaces/IDistributions.sol";
import { Errors } from "../libraries/Errors.sol";
import { DistributionMoney } from "./DistributionMoney.sol";

/// @title DistributionPosting
/// @notice Who posts a distribution, when, and for how much.
abstract contract DistributionPosting is DistributionMoney {
    /// @dev Rounds that may be posted; the release of what is held may be one more.
    uint256 internal constant MAX_ROUNDS = 8;

    uint256 private constant LICENSOR = 1;
    uint256 private constant LICENSEE = 2;

    // Posting

    /// @inheritdoc IDistributions
    function post(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata settled,
        Posting calldata posting
    ) external nonReentrant {
        // check
        Rules memory rules = _rulesOf(licence, terms, period);
        Place memory place = _placeOf(licence, period, settled.length);
        if (block.timestamp < rules.dates.end) {
            revert Errors.Distributions_PeriodNotOver(licence, period, rules.dates.end);
        }
        if (place.round >= MAX_ROUNDS) revert Errors.Distributions_RoundsUsedUp(licence, period);
        _wordIn(place, NONE);
        uint256 flags = _roleNow(place, rules) == LICENSEE ? BY_LICENSEE : 0;
        if (msg.sender == rules.arbiter) flags |= BY_ARBITER;
        _post(place, rules, settled, posting, flags);
    }

    /// @inheritdoc IDistributions
    function replace(
        uint256 licence,
        bytes calldata terms,
        uint256 period,
        Distribution[] calldata settled,
        Posting calldata posting
    ) external nonReentrant {
        // check
        Rules memory rules = _rulesOf(licence, terms, period);
        Place memory place = _placeOf(licence, period, settled.length);
        uint256 word = _wordIn(place, OPEN);
        _requireOpen(place, word);
        if (word & REPLACED != 0) revert Errors.Distributions_Replaced(licence, period, place.round);
        if (!_isPoster(licence, rules.catalogue, word)) {
            revert Errors.Distributions_MayNotPost(licence, period, msg.sender);
        }
        uint256 flags = (word & (BY_LICENSEE | BY_ARBITER)) | REPLACED;
        if (msg.sender == rules.arbiter) flags |= BY_ARBITER;
        _post(place, rules, settled, posting, flags);
    }

    /// @dev Who the caller posts as.
    function _roleNow(Place memory place, Rules memory rules) private view returns (uint256) {
        bool first = place.round == 0;
        if (first && block.timestamp > rules.dates.postBy) {
            revert Errors.Distributions_PostingClosed(place.licence, place.period, rules.dates.postBy);
        }
        if (catalogues.ownerOf(rules.catalogue) == msg.sender) return LICENSOR;
        if (first && block.timestamp > rules.dates.licensorBy && _licenseeOf(place.licence) == msg.sender) {
            return LICENSEE;
        }
        revert Errors.Distributions_MayNotPost(place.licence, place.period, msg.sender);
    }

    function _post(
        Place memory place,
        Rules memory rules,
        Distribution[] calldata settled,
        Posting calldata posting,
        uint256 flags
    ) private {
        // check
        uint256 amount = posting.amount;
        bytes32 splitId = _requireSplit(posting.split, amount);
        (uint256 waits, ) = _waiting(place, rules.token, settled);
        if (amount > waits) revert Errors.Distributions_AmountAboveWaiting(amount, waits);
        uint256 deadline = _windowFrom(place, rules);

        // effect
        Distribution memory what = Distribution({
            token: rules.token,
            splitId: splitId,
            total: posting.split.total,
            amount: amount
        });
        _rounds[place.salt][place.round] = _wordOf(what, deadline, flags | OPEN);
        _recordPosted(place, rules, what, posting, flags, waits, deadline);
    }

    function _recordPosted(
        Place memory place,
        Rules memory rules,
        Distribution memory what,
        Posting calldata posting,
        uint256 flags,
        uint256 waits,
        uint256 deadline
    ) private {
        _record(
            Posted.selector,
            bytes32(place.licence),
            abi.encode(
                msg.sender,
                place.period,
                place.round,
                flags & BY_LICENSEE == 0 ? LICENSOR : LICENSEE,
                flags & REPLACED != 0,
                rules.arbiter,
                what,
                waits,
                deadline,
                posting.usageHash,
                posting.manifestRoot,
                posting.ruleHash,
                posting.uri
            )
        );
    }
}
