// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { Errors } from "../libraries/Errors.sol";
import { MerkleSum } from "../libraries/MerkleSum.sol";
import { ISplits } from "../interfaces/ISplits.sol";
import { SplitStore } from "./SplitStore.sol";

/// @title SplitPages
/// @notice Money out, by page.
abstract contract SplitPages is SplitStore {
    /// @dev Least gas for one transfer: enough for every token that does not call its payees.
    uint256 private constant MIN_GAS_EACH = 100_000;
    /// @dev Kept back from each transfer of a page, for marking a payee and closing the page. Where that is not enough, the
    ///      call ends without effect.
    uint256 private constant RESERVE = 40_000;

    /// @inheritdoc ISplits
    function payPages(
        Split calldata split,
        address token,
        uint256 gasEach,
        PagePayout[] calldata pages
    ) external nonReentrant returns (uint256 paid) {
        if (gasEach < MIN_GAS_EACH) revert Errors.Splits_GasPerTransferTooLow(gasEach, MIN_GAS_EACH);
        uint256 before = IERC20(token).balanceOf(address(this));
        for (uint256 i = 0; i < pages.length; ++i) {
            uint256 memoryMark = _memoryMark();
            paid += _payPage(split, token, gasEach, pages[i]);
            _releaseMemory(memoryMark);
        }
        if (paid == 0) revert Errors.Splits_NothingPaid(token);
        _checkOutflow(token, before, paid);
    }

    function _payPage(
        Split calldata split,
        address token,
        uint256 gasEach,
        PagePayout calldata payout
    ) private returns (uint256 paid) {
        // check
        bytes32[] calldata words = payout.words;
        (bytes32 id, uint256 used) = MerkleSum.checkPage(split, payout.page, words, payout.siblings);
        (uint256 sums, uint256 from, uint256 apart) = _page(id, token, payout.page);
        Payment memory pay = Payment({
            token: token,
            needed: gasEach + gasEach / 32 + RESERVE,
            total: split.total,
            upTo: uint128(sums),
            paid: 0,
            failed: 0,
            since: from,
            last: used,
            kept: apart,
            firstIndex: payout.page * MerkleSum.PAGE_SIZE,
            id: id
        });

        // effect
        uint256[] memory checkpoints = _takeBack(pay, payout.retry);
        _setPage(id, token, payout.page, sums, pay.upTo, pay.kept);

        // interaction
        uint256 next;
        for (uint256 i = 0; apart >> i != 0; ++i) {
            if ((apart >> i) & 1 == 0) continue;
            _paySpan(pay, words, next, i, from);
            if ((pay.kept >> i) & 1 == 0) _paySpan(pay, words, i, i + 1, checkpoints[i]);
            next = i + 1;
        }
        _paySpan(pay, words, next, used, from);
        uint256 failed = pay.failed;
        if (failed != 0) {
            _setPage(id, token, payout.page, _sums[id][token], pay.upTo, pay.kept | failed);
        }
        paid = pay.paid;
        _record(
            PagePaid.selector,
            id,
            abi.encode(msg.sender, token, payout.page, pay.upTo, payout.retry, failed, paid)
        );
    }

    /// @dev What the payment of one page depends on. `kept` are at first all leaves with a checkpoint of their own, then
    ///      those that stay out of this payout.
    struct Payment {
        address token; // 0x00, used by its offset as the next seven
        uint256 needed; // 0x20, least gas before a transfer
        uint256 total; // 0x40
        uint256 upTo; // 0x60
        uint256 paid; // 0x80
        uint256 failed; // 0xa0
        uint256 since; // 0xc0, what the span was paid up to before
        uint256 last; // 0xe0, place of the word behind the span
        uint256 kept;
        uint256 firstIndex;
        bytes32 id;
    }

    /// @dev Takes back into their page the leaves that were claimed ahead, and those passed over that the caller names:
    ///      clears their slots and their bits in `pay.kept`, and tells the checkpoints that they had.
    function _takeBack(Payment memory pay, uint256 retry) private returns (uint256[] memory checkpoints) {
        uint256 apart = pay.kept;
        if (apart == 0) return checkpoints;
        checkpoints = new uint256[](MerkleSum.PAGE_SIZE);
        mapping(uint256 index => uint256) storage leaves = _leaves[pay.id][pay.token];
        for (uint256 i = 0; apart >> i != 0; ++i) {
            if ((apart >> i) & 1 == 0) continue;
            uint256 own = leaves[pay.firstIndex + i];
            uint256 kind = own >> 128;
            if (kind == TAKEN_OUT || (kind == PASSED_OVER && (retry >> i) & 1 == 0)) continue;
            checkpoints[i] = uint128(own);
            leaves[pay.firstIndex + i] = 0;
            pay.kept ^= 1 << i;
        }
    }

    /// @dev Pays the leaves `first` to `last` − 1 of a page since `from`. Those whose transfer fails are passed over: each
    ///      keeps `from` as its checkpoint.
    function _paySpan(Payment memory pay, bytes32[] calldata words, uint256 first, uint256 last, uint256 from) private {
        uint256 before = pay.failed;
        (pay.since, pay.last) = (from, last);
        _payWords(pay, words[first:last]);
        uint256 failed = pay.failed ^ before;
        if (failed != 0) {
            mapping(uint256 index => uint256) storage leaves = _leaves[pay.id][pay.token];
            for (uint256 i = pay.last; failed << (256 - i) != 0;) {
                --i;
                if ((failed >> i) & 1 == 1) leaves[pay.firstIndex + i] = (PASSED_OVER << 128) | pay.since;
            }
        }
    }

    /// @dev Transfers to each leaf what it is owed since `from`, with bounded gas and at most one word of return data. A
    ///      transfer succeeded if the call did and returned nothing, or a word equal to 1; the token has code, since it
    ///      told its balance. Products stay below 2^224: cumulative < 2^128, units < 2^96. In assembly because a payee's
    ///      share of this loop is what a payout costs above the bare transfer. The call's data stand at 0x00, and what it
    ///      returns at 0x05, among bytes that each transfer writes anew or that are zero in a word equal to 1; the pointer
    ///      at 0x40, whose highest bytes are overwritten, is restored. `gasEach` is read from the call data of
    ///      payPages, where it stands at 0x84: one variable more costs 30 gas a payee. A word of zero behind the copied
    ///      words ends the loop. Adds to `pay.paid` and `pay.failed`.
    function _payWords(Payment memory pay, bytes32[] calldata words) private {
        bytes32 selector = IERC20.transfer.selector;
        bool starved;
        assembly ("memory-safe") {
            let token := mload(pay)
            let needed := mload(add(pay, 0x20))
            let total := mload(add(pay, 0x40))
            let upTo := mload(add(pay, 0x60))
            let paid := mload(add(pay, 0x80))
            let from := mload(add(pay, 0xc0))
            let at := mload(0x40)
            let end := add(at, shl(5, words.length))
            calldatacopy(mload(0x40), words.offset, sub(end, at))
            mstore(end, 0)
            mstore(0x00, selector)
            for {} 1 {
                at := add(at, 0x20)
            } {
                let place := at
                let word := mload(place)
                let units := and(word, 0xffffffffffffffffffffffff)
                let amount := sub(div(mul(upTo, units), total), div(mul(from, units), total))
                if or(iszero(amount), lt(gas(), needed)) {
                    // A leaf that is owed nothing; else the end, or too little gas before it.
                    if iszero(or(eq(at, end), amount)) {
                        continue
                    }
                    break
                }
                // The payee to bytes 16 to 35, its units behind it under the amount.
                mstore(0x10, word)
                mstore(0x24, amount)
                paid := add(paid, amount)
                let called := call(calldataload(0x84), token, 0, 0x00, 0x44, 0x05, 0x20)
                // The last byte there was 0, the highest of the amount: less than a word cannot leave a 1.
                if iszero(and(called, eq(mload(0x05), 1))) {
                    if gt(called, returndatasize()) {
                        continue
                    }
                    paid := sub(paid, amount)
                    let failed := add(pay, 0xa0)
                    mstore(failed, or(mload(failed), shl(sub(mload(add(pay, 0xe0)), shr(5, sub(end, at))), 1)))
                    mstore(0x00, selector)
                }
            }
            mstore(add(pay, 0x80), paid)
            mstore(0x40, shr(32, shl(32, mload(0x40))))
            starved := lt(at, end)
        }
        if (starved) revert Errors.Splits_NotEnoughGas(gasleft(), pay.needed);
    }
}
