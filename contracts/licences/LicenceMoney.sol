// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { ISplitsPayer } from "../interfaces/ISplits.sol";
import { Errors } from "../libraries/Errors.sol";
import { LateInterest } from "../libraries/LateInterest.sol";
import { LicenceState } from "../libraries/LicenceState.sol";
import { Periods } from "../libraries/Periods.sol";
import { RoyaltyMath } from "../libraries/RoyaltyMath.sol";
import { TermsCodec } from "../libraries/TermsCodec.sol";
import { LicenceStore } from "./LicenceStore.sol";

/// @title LicenceMoney
/// @notice What booking and paying have in common: lines, interest, set-off, the pull, and the end of a cure.
abstract contract LicenceMoney is LicenceStore {
    using LateInterest for LateInterest.Interest;
    using LicenceState for LicenceState.Period;
    using SafeERC20 for IERC20;

    /// @dev Sources of set-off that one line uses at most, so that its gas is bounded.
    uint256 internal constant SOURCES_EACH = 8;

    /// @dev A period while it is changed, and what its Booked entry will tell. `counted`: whether it is among the
    ///      licence's open periods; `base`: its next base; `limit`: the largest line that is accepted.
    struct Account {
        uint256 licence;
        uint256 period;
        bytes32 destination;
        Periods.Span span;
        LicenceState.Period state;
        LateInterest.Interest interest;
        uint256 interestWord;
        bool counted;
        uint256 kind;
        uint256 gross;
        uint256 deductions;
        uint256 base;
        uint256 limit;
        bytes32 reportHash;
        int256 line;
        uint256 cancelled;
        uint256 setOff;
    }

    /// @dev The payer of the pull that is under way; zero: none is.
    address private transient _payer;

    // The pull

    /// @inheritdoc ISplitsPayer
    function onSplitsPull(address token, uint256 amount, bytes calldata) external {
        address payer = _payer;
        if (msg.sender != address(splits) || payer == address(0)) {
            revert Errors.Licences_UnexpectedCallback(msg.sender);
        }
        _payer = address(0);
        IERC20(token).safeTransferFrom(payer, msg.sender, amount);
    }

    /// @dev Makes Splits pull from the caller; returns what arrived.
    function _pullToSplit(bytes32 splitId, address token, uint256 amount) internal returns (uint256) {
        _payer = msg.sender;
        return splits.creditByCallback(splitId, token, amount, "");
    }

    /// @dev Makes Splits pull from the caller to the account's destination; returns what arrived, at most `amount`.
    function _pull(
        TermsCodec.Words calldata terms,
        Account memory account,
        uint256 amount
    ) internal returns (uint256 arrived) {
        address token = address(uint160(terms.token));
        address distributions = address(uint160(terms.distributions));
        if (distributions == address(0)) {
            arrived = _pullToSplit(account.destination, token, amount);
        } else {
            _payer = msg.sender;
            arrived = splits.fundAccountByCallback(
                distributions,
                Periods.saltOf(address(this), account.licence, account.period),
                token,
                amount,
                ""
            );
        }
        if (arrived > amount) arrived = amount;
    }

    /// @dev What is due for a period, and the least that a payment has to be: all interest, and a unit of principal
    ///      where there is any.
    function _dueAndLeast(Account memory account) internal pure returns (uint256 due, uint256 least) {
        least = account.interest.dueDown();
        unchecked {
            due = least + account.state.open;
            if (due != least) ++least;
        }
    }

    /// @dev Counts a payment that has arrived: interest first, then principal. The caller stores `self`.
    /// @param arrived at most what is due
    function _count(
        LicenceState.Licence memory self,
        Account memory account,
        uint256 arrived
    ) internal returns (uint256 interest, uint256 principal) {
        interest = account.interest.dueDown();
        (, uint256 least) = _dueAndLeast(account);
        if (arrived < least) revert Errors.Licences_PaymentTooSmall(arrived, interest);
        principal = arrived - interest;
        account.state.open -= principal;
        account.interest.numerator -= interest * LateInterest.UNIT;
        _storeAccount(self, account);
    }

    // A period's account

    /// @dev Reads a booked period and its time into `account`, with interest up to now.
    function _open(
        Account memory account,
        uint256 licence,
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        uint256 period
    ) internal view {
        account.licence = licence;
        account.period = period;
        _readPeriod(account.state, licence, self, period);
        Periods.Span memory span = account.span;
        _fillSpan(span, terms, self, period);
        uint256 rate = terms.lateRatePpm;
        // Before that second nothing was ever written.
        if (block.timestamp > span.interestFrom && rate != 0) {
            account.interestWord = _interest[licence][period];
            account.interest.unpack(account.interestWord);
        }
        account.counted = _isOpen(account);
        account.interest.accrue(account.state.open, rate, span.interestFrom);
    }

    /// @dev Whether principal or a whole unit of interest is open. Interest only grows where principal is open, so this
    ///      changes with changes of the period alone.
    function _isOpen(Account memory account) private pure returns (bool) {
        return account.state.open != 0 || account.interest.dueDown() != 0;
    }

    /// @dev Writes the period, and counts it in `self` if it is open; the caller stores `self`.
    function _storeAccount(LicenceState.Licence memory self, Account memory account) internal {
        _periods[account.licence][account.period] = account.state.packPeriod(self.acceptedAt);
        uint256 word = account.interest.pack();
        if (word != account.interestWord) {
            _interest[account.licence][account.period] = word;
            account.interestWord = word;
        }
        bool open = _isOpen(account);
        if (open == account.counted) return;
        account.counted = open;
        if (open) ++self.openPeriods;
        else --self.openPeriods;
    }

    // Lines

    /// @dev The sums of a licence with another base of a period, and the line that follows.
    function _lineOf(
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        Account memory account,
        uint256 base
    ) internal pure returns (int256 line, uint256 sumA, uint256 sumB) {
        return
            RoyaltyMath.lineOf(
                terms,
                self.sumA,
                self.sumB,
                account.state.version == 0,
                account.state.base,
                base,
                Periods.guaranteeDown(terms, account.span)
            );
    }

    /// @dev Appends a line to its period. A positive one uses set-off first; what it opens bears interest from the
    ///      period's own date. A negative one cancels what is open, with its interest; the rest is set-off.
    function _applyLine(
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        Account memory account
    ) internal {
        int256 line = account.line;
        uint256 rate = terms.lateRatePpm;
        uint256 from = account.span.interestFrom;
        if (line > 0) {
            uint256 amount = uint256(line);
            if (self.setOff != 0) {
                account.setOff = _useSetOff(self, account, amount);
                amount -= account.setOff;
            }
            account.state.open += amount;
            account.interest.numerator += LateInterest.since(amount, rate, from);
        } else if (line < 0) {
            uint256 amount;
            unchecked {
                amount = uint256(-line);
            }
            uint256 open = account.state.open;
            uint256 cancelled = amount < open ? amount : open;
            account.cancelled = cancelled;
            account.state.open = open - cancelled;
            account.interest.giveBack(LateInterest.since(cancelled, rate, from));
            amount -= cancelled;
            if (amount != 0 && self.status == LicenceState.ACTIVE) {
                account.setOff = amount;
                _addSetOff(self, account, amount);
            }
        }
    }

    // Set-off

    /// @dev Uses the oldest sources against a line, up to a fixed number of them.
    function _useSetOff(
        LicenceState.Licence memory self,
        Account memory account,
        uint256 line
    ) private returns (uint256 used) {
        Rare storage rare = _rare[account.licence];
        uint256 head = rare.setOffHead;
        uint256 tail = rare.setOffTail;
        uint256 last;
        unchecked {
            last = head + SOURCES_EACH;
        }
        if (last > tail) last = tail;
        while (head < last && used < line) {
            Source storage source = _sources[account.licence][head];
            uint256 amount = source.amount;
            bytes32 origin = source.destination;
            uint256 wanted = line - used;
            if (amount > wanted) {
                source.amount = amount - wanted;
                amount = wanted;
            } else {
                delete _sources[account.licence][head];
                ++head;
            }
            used += amount;
            _record(
                SetOffUsed.selector,
                bytes32(account.licence),
                abi.encode(msg.sender, account.period, origin, account.destination, amount)
            );
        }
        rare.setOffHead = uint32(head);
        self.setOff -= used;
    }

    /// @dev Puts overpaid money at the end of the queue, or into its last source if that is of the same destination.
    function _addSetOff(LicenceState.Licence memory self, Account memory account, uint256 amount) private {
        Rare storage rare = _rare[account.licence];
        uint256 tail = rare.setOffTail;
        self.setOff += amount;
        if (tail > rare.setOffHead) {
            Source storage last = _sources[account.licence][tail - 1];
            if (last.destination == account.destination) {
                last.amount += amount;
                return;
            }
        }
        _sources[account.licence][tail] = Source({ destination: account.destination, amount: amount });
        // A licence has fewer than 2^32 versions of all its periods, and each adds one source at most.
        rare.setOffTail = uint32(tail + 1);
    }

    // Breach

    /// @dev Whether more is open than is disputed after due date and grace. Of figures that were booked anew when that date
    ///      had passed nothing counts as disputed: otherwise a licensee that restates them and proposes lower ones again
    ///      and again would never be in breach.
    function _isOverdue(
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        Account memory account
    ) internal view returns (bool) {
        if (block.timestamp <= account.span.interestFrom || account.state.open == 0) return false;
        StoredDispute storage dispute = _disputes[account.licence][account.period];
        if (
            dispute.proposer != BY_LICENSEE ||
            (account.state.version != 1 && account.state.bookedAt > account.span.interestFrom)
        ) return true;
        (int256 line, , ) = _lineOf(terms, self, account, dispute.proposedBase);
        // Proposed by the licensee, so lower: the line is not positive.
        unchecked {
            return account.state.open > uint256(-line);
        }
    }

    /// @dev Ends the cure if it is for this period and `mended`, or if the period is not overdue any more.
    function _endCure(
        TermsCodec.Words calldata terms,
        LicenceState.Licence memory self,
        Account memory account,
        bool mended
    ) internal {
        if (!self.inCure || _rare[account.licence].curePeriod != account.period) return;
        if (!mended && _isOverdue(terms, self, account)) return;
        self.inCure = false;
        _clearCure(account.licence);
        _store(account.licence, self);
        _record(Cured.selector, bytes32(account.licence), abi.encode(msg.sender, account.period));
    }

    function _clearCure(uint256 licence) internal {
        Rare storage rare = _rare[licence];
        rare.cureUntil = 0;
        rare.curePeriod = 0;
    }
}
