// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { Errors } from "./Errors.sol";

/// @title TermsCodec
/// @notice Terms as bytes: their one encoding, and what each field may be.
/// @dev Canonical are the bytes of `abi.encode(Terms)`: word 0 is 32; words 1 to 27 are the fields, of which the last is
///      27 × 32, where the tiers start; word 28 is their number n, and 2n words follow. Bytes that pass `check` have no
///      other reading, so a hash that is equal to theirs is enough to use them in place.
library TermsCodec {
    /// @dev ILicences.Terms word by word, in the same places: what is canonical needs no check when it is read, and each
    ///      word is the value of its field. `tiersAt` is where the tiers start.
    struct Words {
        bytes32 document;
        bytes32 worksRoot;
        uint256 catalogue;
        uint256 licensee;
        uint256 token;
        uint256 scope;
        uint256 exclusive;
        uint256 start;
        uint256 end;
        uint256 transferable;
        uint256 upfrontFee;
        uint256 advance;
        uint256 tiersOverLife;
        uint256 deductionCapPpm;
        uint256 guarantee;
        uint256 cap;
        uint256 lateRatePpm;
        uint256 graceDays;
        uint256 periodMonths;
        uint256 daysToReport;
        uint256 daysToPay;
        uint256 cureDays;
        uint256 attributionDuty;
        uint256 distributions;
        bytes32 model;
        uint256 attributor;
        uint256 tiersAt;
    }

    uint256 internal constant MAX_TIERS = 16;
    uint256 private constant HEAD = 29 * 32;
    uint256 private constant FIELDS = 27;
    uint256 private constant TIERS = FIELDS - 1;
    /// @dev What the terms' own encoding is called in Licences_BadTerms.
    uint256 private constant ENCODING = 27;
    /// @dev Bits of each field but the tiers; 0: all 256.
    bytes26 private constant WIDTHS = hex"000000a0a00a0a28280168010120686820100810101002a000a0";
    uint256 private constant RATE_LIMIT = 1e6;
    uint256 private constant LATE_RATE_LIMIT = 10e6;
    /// @dev 1 January 2000 and 3000: a time in milliseconds, or in days, is refused.
    uint256 private constant EARLIEST = 946_684_800;
    uint256 private constant LATEST = 32_503_680_000;

    /// @notice Reads the bytes in place. They must be canonical, or known by their hash to be.
    function inPlace(bytes calldata data) internal pure returns (Words calldata terms) {
        assembly ("memory-safe") {
            terms := add(data.offset, 32)
        }
    }

    /// @notice Checks encoding and every field; reverts with the field's position.
    function check(bytes calldata data) internal pure returns (Words calldata terms) {
        if (data.length < HEAD) revert Errors.Licences_BadTerms(ENCODING);
        uint256 tiers = _word(data, FIELDS + 1);
        if (
            _word(data, 0) != 32 ||
            _word(data, FIELDS) != FIELDS * 32 ||
            tiers > MAX_TIERS ||
            data.length != HEAD + tiers * 64
        ) revert Errors.Licences_BadTerms(ENCODING);
        terms = inPlace(data);
        if (_isDirty(terms)) _refuseDirty(data);
        _checkFields(terms);
        _checkTiers(terms);
    }

    /// @notice Number of marginal tiers.
    function tierCount(Words calldata terms) internal pure returns (uint256 length) {
        assembly ("memory-safe") {
            length := calldataload(add(terms, 864))
        }
    }

    /// @notice A tier below `tierCount`.
    function tierAt(Words calldata terms, uint256 index) internal pure returns (uint256 upTo, uint256 ratePpm) {
        assembly ("memory-safe") {
            let place := add(add(terms, 896), shl(6, index))
            upTo := calldataload(place)
            ratePpm := calldataload(add(place, 32))
        }
    }

    /// @dev Whether a field has bits beyond its width; all fields of a width at once, since this is paid at acceptance.
    function _isDirty(Words calldata terms) private pure returns (bool) {
        uint256 excess = (terms.licensee | terms.token | terms.distributions | terms.attributor) >> 160;
        excess |= (terms.upfrontFee | terms.guarantee | terms.cap) >> 104;
        excess |= (terms.start | terms.end) >> 40;
        excess |= (terms.deductionCapPpm | terms.lateRatePpm) >> 32;
        excess |= (terms.graceDays | terms.daysToReport | terms.daysToPay | terms.cureDays) >> 16;
        excess |= (terms.scope | terms.exclusive) >> 10;
        excess |= terms.periodMonths >> 8;
        excess |= terms.attributionDuty >> 2;
        excess |= (terms.transferable | terms.advance | terms.tiersOverLife) >> 1;
        return excess != 0;
    }

    /// @dev Reverts with the first field that has bits beyond its width.
    function _refuseDirty(bytes calldata data) private pure {
        for (uint256 i = 0; i < FIELDS - 1; ++i) {
            uint256 width = uint8(WIDTHS[i]);
            _demand(width == 0 || _word(data, i + 1) >> width == 0, i);
        }
    }

    function _checkFields(Words calldata terms) private pure {
        _demand(terms.document != 0, 0);
        _demand(terms.worksRoot != 0, 1);
        _demand(terms.token != 0, 4);
        _demand(terms.scope != 0, 5);
        _demand(terms.exclusive & ~terms.scope == 0, 6);
        _demand(terms.start >= EARLIEST && terms.start < LATEST, 7);
        _demand(terms.end == 0 || (terms.end > terms.start && terms.end <= LATEST), 8);
        _demand(terms.deductionCapPpm <= RATE_LIMIT, 13);
        _demand(terms.lateRatePpm <= LATE_RATE_LIMIT, 16);
        uint256 months = terms.periodMonths;
        _demand(months <= 1 || months == 3 || months == 6 || months == 12, 18);
        _demand(months != 0 || terms.guarantee == 0, 14);
        _demand(months != 0 || tierCount(terms) == 0, TIERS);
        _demand(terms.daysToPay >= terms.daysToReport, 20);
    }

    /// @dev Rising limits, the last one 2^128 − 1, and rates of at most 100 %.
    function _checkTiers(Words calldata terms) private pure {
        uint256 last = 0;
        uint256 tiers = tierCount(terms);
        for (uint256 i = 0; i < tiers; ++i) {
            (uint256 upTo, uint256 ratePpm) = tierAt(terms, i);
            _demand(upTo > last && upTo <= type(uint128).max && ratePpm <= RATE_LIMIT, TIERS);
            last = upTo;
        }
        _demand(tiers == 0 || last == type(uint128).max, TIERS);
    }

    function _demand(bool holds, uint256 field) private pure {
        if (!holds) revert Errors.Licences_BadTerms(field);
    }

    function _word(bytes calldata data, uint256 index) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := calldataload(add(data.offset, shl(5, index)))
        }
    }
}
