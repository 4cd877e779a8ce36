// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { EIP712 } from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { ReentrancyGuardTransient } from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { SignatureChecker } from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import { Errors } from "./libraries/Errors.sol";
import { Journal } from "./libraries/Journal.sol";
import { MerkleSum } from "./libraries/MerkleSum.sol";
import { ISplits, ISplitsPayer } from "./interfaces/ISplits.sol";

/// @title Splits
/// @notice The money of the ledger. Everything else that is to be known stands in ISplits.
contract Splits is Journal, ISplits, EIP712, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    /// @dev Least gas for one transfer: enough for every token that does not call its payees.
    uint256 private constant MIN_GAS_EACH = 100_000;
    /// @dev Kept back from each transfer of a page, for marking a payee and closing the page.
    uint256 private constant RESERVE = 40_000;

    /// @dev Kinds of a leaf's own checkpoint.
    uint256 private constant CLAIMED = 1;
    uint256 private constant PASSED_OVER = 2;
    uint256 private constant TAKEN_OUT = 3;

    bytes32 private constant CLAIM_TO_TYPEHASH = keccak256(
        "ClaimTo(bytes32 leavesHash,address to,uint256 nonce,uint256 deadline)"
    );

    /// @dev Split → number of pages in the high, of published pages in the low 128 bits.
    mapping(bytes32 id => uint256) private _publication;
    /// @dev Split → bitmap of published pages, 256 a word; unused where there is but one page.
    mapping(bytes32 id => mapping(uint256 word => uint256)) private _publishedPages;
    /// @dev Split → token → cumulative credit, below 2^128.
    mapping(bytes32 id => mapping(address token => uint256)) private _cumulative;
    /// @dev Split → token → page → cumulative at the last payout in the high, exceptions in the low 128 bits.
    mapping(bytes32 id => mapping(address token => mapping(uint256 page => uint256))) private _pages;
    /// @dev Split → token → leaf index → kind in the high, checkpoint in the low 128 bits; zero if and only if the leaf's
    ///      bit in its page is clear, so that a claim need not read the page.
    mapping(bytes32 id => mapping(address token => mapping(uint256 index => uint256))) private _leaves;
    /// @dev Account → token → base units that wait.
    mapping(bytes32 account => mapping(address token => uint256)) private _accounts;
    mapping(address payee => address) private _standing;
    mapping(address payee => uint256) private _claimNonces;

    constructor() EIP712("Splits", "1") {}

    // ---- Publication

    /// @inheritdoc ISplits
    function publish(Split calldata split, Page[] calldata pages) external nonReentrant {
        for (uint256 i = 0; i < pages.length; ++i) {
            uint256 memoryMark = _memoryMark();
            Page calldata page = pages[i];
            bytes32 id = MerkleSum.checkPage(split, page.page, page.words, page.siblings);
            // Money of a leaf that names this contract could never leave it.
            MerkleSum.checkWords(page.words, address(this));
            if (_markPublished(id, page.page, split.depth)) {
                _record(
                    PagePublished.selector,
                    id,
                    abi.encode(
                        msg.sender,
                        split.root,
                        split.total,
                        split.depth,
                        page.page,
                        page.words[:_usedWords(page.words)]
                    )
                );
            }
            _releaseMemory(memoryMark);
        }
    }

    /// @dev Marks a page as public; false if it was.
    function _markPublished(bytes32 id, uint256 page, uint256 depth) private returns (bool) {
        uint256 state = _publication[id];
        uint256 pages = MerkleSum.pagesOf(depth);
        if (pages == 1) {
            if (state != 0) return false;
        } else {
            uint256 word = _publishedPages[id][page >> 8];
            uint256 bit = 1 << (page & 255);
            if (word & bit != 0) return false;
            _publishedPages[id][page >> 8] = word | bit;
        }
        _publication[id] = (pages << 128) | (uint128(state) + 1);
        return true;
    }

    /// @dev Number of words up to the last that is not padding.
    function _usedWords(bytes32[] calldata words) private pure returns (uint256 used) {
        used = words.length;
        while (used != 0 && words[used - 1] == 0) --used;
    }

    // ---- Money in

    /// @inheritdoc ISplits
    function credit(bytes32 id, address token, uint256 amount) external nonReentrant returns (uint256 credited) {
        if (!isPublished(id)) revert Errors.Splits_NotPublished(id);
        uint256 before = IERC20(token).balanceOf(address(this));
        IERC20(token).safeTransferFrom(msg.sender, address(this), amount);
        credited = _arrived(token, before);
        _addCredit(id, token, credited);
        _record(Credited.selector, id, abi.encode(msg.sender, token, credited));
    }

    /// @inheritdoc ISplits
    function creditByCallback(
        bytes32 id,
        address token,
        uint256 amount,
        bytes calldata data
    ) external nonReentrant returns (uint256 credited) {
        credited = _pull(token, amount, data);
        _addCredit(id, token, credited);
        _record(Credited.selector, id, abi.encode(msg.sender, token, credited));
    }

    /// @inheritdoc ISplits
    function fundAccountByCallback(
        address controller,
        bytes32 salt,
        address token,
        uint256 amount,
        bytes calldata data
    ) external nonReentrant returns (uint256 funded) {
        bytes32 account = accountId(controller, salt);
        funded = _pull(token, amount, data);
        _accounts[account][token] += funded;
        _record(AccountFunded.selector, account, abi.encode(msg.sender, controller, salt, token, funded));
    }

    /// @inheritdoc ISplits
    function moveAccount(bytes32 salt, address token, bytes32 id, uint256 amount) external nonReentrant {
        bytes32 account = accountId(msg.sender, salt);
        uint256 held = _accounts[account][token];
        if (amount == 0 || amount > held) revert Errors.Splits_AccountTooSmall(account, token, held, amount);
        if (!isPublished(id)) revert Errors.Splits_NotPublished(id);
        _accounts[account][token] = held - amount;
        _addCredit(id, token, amount);
        _record(AccountMoved.selector, account, abi.encode(msg.sender, token, id, amount));
    }

    /// @dev Lets the caller make tokens arrive, and measures them.
    function _pull(address token, uint256 amount, bytes calldata data) private returns (uint256) {
        uint256 before = IERC20(token).balanceOf(address(this));
        ISplitsPayer(msg.sender).onSplitsPull(token, amount, data);
        return _arrived(token, before);
    }

    function _arrived(address token, uint256 before) private view returns (uint256) {
        uint256 now_ = IERC20(token).balanceOf(address(this));
        if (now_ <= before) revert Errors.Splits_NothingArrived(token);
        return now_ - before;
    }

    function _addCredit(bytes32 id, address token, uint256 amount) private {
        uint256 sum = _cumulative[id][token];
        if (amount > type(uint128).max - sum) revert Errors.Splits_CreditTooLarge(id, token);
        _cumulative[id][token] = sum + amount;
    }

    // ---- Money out

    /// @dev Reverts if more than `paid` has left since the balance was `before`.
    function _checkOutflow(address token, uint256 before, uint256 paid) private view {
        uint256 left = IERC20(token).balanceOf(address(this));
        if (left < before && before - left > paid) revert Errors.Splits_OutflowTooLarge(token, before - left, paid);
    }

    // ---- Money out, by page

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
        bytes32 id = MerkleSum.checkPage(split, payout.page, payout.words, payout.siblings);
        Payment memory pay = _payment(id, token, payout.page);
        pay.gasEach = gasEach;
        pay.needed = gasEach + gasEach / 32 + RESERVE;
        pay.total = split.total;

        // effect
        uint256 apart = pay.kept;
        uint256[] memory checkpoints = _takeBack(pay, payout.retry);
        _closePage(pay);

        // interaction
        uint256 failed;
        uint256 next;
        for (uint256 i = 0; apart >> i != 0; ++i) {
            if ((apart >> i) & 1 == 0) continue;
            (paid, failed) = _payRun(pay, payout.words, next, i, pay.from, paid, failed);
            if ((pay.kept >> i) & 1 == 0) {
                (paid, failed) = _payRun(pay, payout.words, i, i + 1, checkpoints[i], paid, failed);
            }
            next = i + 1;
        }
        (paid, failed) = _payRun(pay, payout.words, next, payout.words.length, pay.from, paid, failed);
        if (failed != 0) {
            pay.kept |= failed;
            _closePage(pay);
        }
        _record(
            PagePaid.selector,
            id,
            abi.encode(msg.sender, token, payout.page, pay.upTo, payout.retry, failed, paid)
        );
    }

    /// @dev What the payment of one page depends on. `kept` are at first all leaves with a checkpoint of their own, then
    ///      those that stay out of this payout.
    struct Payment {
        address token; // 0x00, read by its offset as the next three
        uint256 gasEach; // 0x20
        uint256 needed; // 0x40
        uint256 total; // 0x60
        uint256 upTo; // 0x80
        uint256 from;
        uint256 kept;
        uint256 firstIndex;
        bytes32 id;
    }

    function _payment(bytes32 id, address token, uint256 page) private view returns (Payment memory pay) {
        uint256 state = _pages[id][token][page];
        pay.token = token;
        pay.upTo = _cumulative[id][token];
        pay.from = state >> 128;
        pay.kept = uint128(state);
        pay.firstIndex = page * MerkleSum.PAGE_SIZE;
        pay.id = id;
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
    /// @return paid the sum so far, with what was paid now
    /// @return failed the bitmap so far, with the leaves that failed now
    function _payRun(
        Payment memory pay,
        bytes32[] calldata words,
        uint256 first,
        uint256 last,
        uint256 from,
        uint256 paidBefore,
        uint256 failedBefore
    ) private returns (uint256 paid, uint256 failed) {
        (paid, failed) = _payWords(pay, words[first:last], from);
        if (failed != 0) {
            mapping(uint256 index => uint256) storage leaves = _leaves[pay.id][pay.token];
            for (uint256 i = 0; failed >> i != 0; ++i) {
                if ((failed >> i) & 1 == 1) leaves[pay.firstIndex + first + i] = (PASSED_OVER << 128) | from;
            }
        }
        return (paidBefore + paid, failedBefore | (failed << first));
    }

    /// @dev Writes a page's state: paid up to now, but for the leaves kept out.
    function _closePage(Payment memory pay) private {
        _pages[pay.id][pay.token][pay.firstIndex / MerkleSum.PAGE_SIZE] = (pay.upTo << 128) | pay.kept;
    }

    /// @dev Transfers to each leaf what it is owed since `from`, with bounded gas and at most one word of return data. A
    ///      transfer succeeded if the call did and returned nothing, or a word equal to 1; the token has code, since it
    ///      told its balance. Products stay below 2^224: cumulative < 2^128, units < 2^96. In assembly because a payee's
    ///      share of this loop is what a payout costs above the bare transfer.
    /// @return paid the sum of the transfers that succeeded
    /// @return failed bit i set: the transfer of word i failed
    function _payWords(
        Payment memory pay,
        bytes32[] calldata words,
        uint256 from
    ) private returns (uint256 paid, uint256 failed) {
        bytes32 selector = IERC20.transfer.selector;
        bytes32 noGas = Errors.Splits_NotEnoughGas.selector;
        assembly ("memory-safe") {
            let buffer := mload(0x40)
            mstore(buffer, selector)
            mstore(0x20, mload(add(pay, 0x40)))
            let end := add(words.offset, shl(5, words.length))
            let token := mload(pay)
            let gasEach := mload(add(pay, 0x20))
            let total := mload(add(pay, 0x60))
            let upTo := mload(add(pay, 0x80))
            for {
                let left := shl(5, words.length)
            } left {
                left := sub(left, 0x20)
            } {
                let word := calldataload(sub(end, left))
                let units := and(word, 0xffffffffffffffffffffffff)
                let amount := sub(div(mul(upTo, units), total), div(mul(from, units), total))
                if amount {
                    if lt(gas(), mload(0x20)) {
                        mstore(buffer, noGas)
                        mstore(add(buffer, 4), gas())
                        mstore(add(buffer, 36), mload(0x20))
                        revert(buffer, 68)
                    }
                    mstore(add(buffer, 4), shr(96, word))
                    mstore(add(buffer, 36), amount)
                    let ok := call(gasEach, token, 0, buffer, 68, 0x00, 0x20)
                    ok := and(ok, or(iszero(returndatasize()), and(eq(mload(0x00), 1), gt(returndatasize(), 31))))
                    paid := add(paid, mul(amount, ok))
                    if iszero(ok) {
                        failed := or(failed, shl(sub(words.length, shr(5, left)), 1))
                    }
                }
            }
        }
    }

    // ---- Money out, by claim

    /// @inheritdoc ISplits
    function claim(Leaf[] calldata leaves) external nonReentrant returns (uint256 paid) {
        return _claim(leaves, address(0), address(0));
    }

    /// @inheritdoc ISplits
    function claimTo(Leaf[] calldata leaves, address to) external nonReentrant returns (uint256 paid) {
        return _claim(leaves, msg.sender, to);
    }

    /// @inheritdoc ISplits
    function claimBySignature(
        Leaf[] calldata leaves,
        address payee,
        address to,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external nonReentrant returns (uint256 paid) {
        if (block.timestamp > deadline) revert Errors.Splits_SignatureExpired(deadline);
        bytes32[] memory hashes = new bytes32[](leaves.length);
        for (uint256 i = 0; i < leaves.length; ++i) {
            hashes[i] = keccak256(abi.encode(MerkleSum.idOf(leaves[i].split), leaves[i].token, leaves[i].index));
        }
        bytes32 digest = _hashTypedDataV4(
            keccak256(abi.encode(CLAIM_TO_TYPEHASH, keccak256(abi.encodePacked(hashes)), to, nonce, deadline))
        );
        if (nonce != _claimNonces[payee] || !SignatureChecker.isValidSignatureNowCalldata(payee, digest, signature)) {
            revert Errors.Splits_BadSignature(payee);
        }
        _useClaimNonce(payee);
        return _claim(leaves, payee, to);
    }

    /// @inheritdoc ISplits
    function cancelClaimNonce() external nonReentrant {
        _useClaimNonce(msg.sender);
    }

    function _useClaimNonce(address payee) private {
        uint256 nonce = _claimNonces[payee];
        _claimNonces[payee] = nonce + 1;
        _record(ClaimNonceUsed.selector, _topic(payee), abi.encode(msg.sender, nonce));
    }

    /// @dev Writes every item before the next is read, then transfers.
    /// @param payee the only payee allowed; zero: any, each paid at its standing address or itself
    function _claim(Leaf[] calldata leaves, address payee, address to) private returns (uint256 paid) {
        if (payee != address(0) && (to == address(0) || to == address(this))) revert Errors.Splits_BadRecipient(to);
        // check and effect
        uint256[] memory sums = new uint256[](leaves.length); // of one transfer each, at the index of its first item
        address token;
        address recipient;
        uint256 first;
        for (uint256 i = 0; i < leaves.length; ++i) {
            Leaf calldata item = leaves[i];
            address receiver = payee == address(0) ? _recipientOf(item) : to;
            uint256 amount = _settleLeaf(item, payee, receiver);
            if (amount == 0) continue;
            if (paid == 0 || token != item.token || recipient != receiver) {
                (token, recipient, first) = (item.token, receiver, i);
            }
            sums[first] += amount;
            paid += amount;
        }
        if (paid == 0) revert Errors.Splits_NothingPaid(leaves.length == 0 ? address(0) : leaves[0].token);

        // interaction
        for (uint256 i = 0; i < leaves.length; ++i) {
            uint256 sum = sums[i];
            if (sum == 0) continue;
            Leaf calldata item = leaves[i];
            _transfer(item.token, payee == address(0) ? _recipientOf(item) : to, sum);
        }
    }

    /// @dev One transfer of a claim.
    function _transfer(address token, address to, uint256 amount) private {
        uint256 before = IERC20(token).balanceOf(address(this));
        if (!IERC20(token).trySafeTransfer(to, amount)) revert Errors.Splits_TransferFailed(token, to);
        _checkOutflow(token, before, amount);
    }

    /// @dev Marks a leaf as paid up to now; returns what it is to be paid. A leaf taken out of its page stays out.
    function _settleLeaf(Leaf calldata item, address payee, address to) private returns (uint256 amount) {
        bytes32 id = MerkleSum.checkLeaf(item);
        if (payee != address(0) && payee != _payeeOf(item)) revert Errors.Splits_NotPayee(payee, _payeeOf(item));
        uint256 sum = _cumulative[id][item.token];
        (uint256 kind, uint256 from) = _checkpoint(id, item.token, item.index);
        amount = _owed(item, sum, from);
        if (amount == 0) return 0;
        _setCheckpoint(id, item.token, item.index, kind, kind == TAKEN_OUT ? TAKEN_OUT : CLAIMED, sum);
        _record(Claimed.selector, id, abi.encode(msg.sender, item.token, item.index, item.leaf, to, sum, amount));
    }

    /// @inheritdoc ISplits
    function setStandingAddress(address to) external nonReentrant {
        if (to == address(this)) revert Errors.Splits_BadRecipient(to);
        _standing[msg.sender] = to;
        _record(StandingAddressSet.selector, _topic(msg.sender), abi.encode(msg.sender, to));
    }

    /// @inheritdoc ISplits
    function placeLeaves(Leaf[] calldata leaves, bool out) external nonReentrant {
        for (uint256 i = 0; i < leaves.length; ++i) {
            Leaf calldata item = leaves[i];
            bytes32 id = MerkleSum.checkLeaf(item);
            if (_payeeOf(item) != msg.sender) revert Errors.Splits_NotPayee(msg.sender, _payeeOf(item));
            (uint256 kind, uint256 from) = _checkpoint(id, item.token, item.index);
            if ((kind == TAKEN_OUT) == out) continue;
            _setCheckpoint(id, item.token, item.index, kind, out ? TAKEN_OUT : CLAIMED, from);
            _record(LeafPlaced.selector, id, abi.encode(msg.sender, item.token, item.index, item.leaf, from, out));
        }
    }

    // ---- Checkpoints

    /// @dev Kind of a leaf's own checkpoint (0: none, its page's counts), and the cumulative up to which it was paid.
    function _checkpoint(bytes32 id, address token, uint256 index) private view returns (uint256 kind, uint256 from) {
        uint256 own = _leaves[id][token][index];
        if (own != 0) return (own >> 128, uint128(own));
        return (0, _pages[id][token][index / MerkleSum.PAGE_SIZE] >> 128);
    }

    /// @dev Gives a leaf a checkpoint of its own; its page is told when it gets its first (`before` is 0).
    function _setCheckpoint(
        bytes32 id,
        address token,
        uint256 index,
        uint256 before,
        uint256 kind,
        uint256 upTo
    ) private {
        if (before == 0) {
            _pages[id][token][index / MerkleSum.PAGE_SIZE] |= 1 << (index % MerkleSum.PAGE_SIZE);
        }
        _leaves[id][token][index] = (kind << 128) | upTo;
    }

    function _owed(Leaf calldata item, uint256 upTo, uint256 from) private pure returns (uint256) {
        uint256 units = uint256(item.leaf) & MerkleSum.UNITS_MASK;
        uint256 total = item.split.total;
        // Products stay below 2^224, and `from` is at most `upTo`.
        unchecked {
            return (upTo * units) / total - (from * units) / total;
        }
    }

    function _payeeOf(Leaf calldata item) private pure returns (address) {
        return address(bytes20(item.leaf));
    }

    function _recipientOf(Leaf calldata item) private view returns (address) {
        address payee = _payeeOf(item);
        address standing = _standing[payee];
        return standing == address(0) ? payee : standing;
    }

    function _topic(address who) private pure returns (bytes32) {
        return bytes32(uint256(uint160(who)));
    }

    // ---- Memory of one round of a loop, released so that its price does not grow with the square of the rounds

    function _memoryMark() private pure returns (uint256 mark) {
        assembly ("memory-safe") {
            mark := mload(0x40)
        }
    }

    function _releaseMemory(uint256 mark) private pure {
        assembly ("memory-safe") {
            mstore(0x40, mark)
        }
    }

    // ---- Views

    /// @inheritdoc ISplits
    function splitId(Split calldata split) external pure returns (bytes32) {
        return MerkleSum.idOf(split);
    }

    /// @inheritdoc ISplits
    function accountId(address controller, bytes32 salt) public pure returns (bytes32) {
        return keccak256(abi.encode(controller, salt));
    }

    /// @inheritdoc ISplits
    function isPublished(bytes32 id) public view returns (bool) {
        uint256 state = _publication[id];
        return state != 0 && state >> 128 == uint128(state);
    }

    /// @inheritdoc ISplits
    function isPagePublished(bytes32 id, uint256 page) external view returns (bool) {
        uint256 pages = _publication[id] >> 128;
        if (pages == 1) return page == 0;
        return (_publishedPages[id][page >> 8] >> (page & 255)) & 1 == 1;
    }

    /// @inheritdoc ISplits
    function publication(bytes32 id) external view returns (uint256 published, uint256 pages) {
        uint256 state = _publication[id];
        return (uint128(state), state >> 128);
    }

    /// @inheritdoc ISplits
    function cumulative(bytes32 id, address token) external view returns (uint256) {
        return _cumulative[id][token];
    }

    /// @inheritdoc ISplits
    function accountBalance(bytes32 account, address token) external view returns (uint256) {
        return _accounts[account][token];
    }

    /// @inheritdoc ISplits
    function pageState(
        bytes32 id,
        address token,
        uint256 page
    ) external view nonReentrantView returns (uint256 paidUpTo, uint256 exceptions) {
        uint256 state = _pages[id][token][page];
        return (state >> 128, uint128(state));
    }

    /// @inheritdoc ISplits
    function leafState(
        bytes32 id,
        address token,
        uint256 index
    ) external view nonReentrantView returns (uint256 kind, uint256 checkpoint) {
        uint256 own = _leaves[id][token][index];
        return (own >> 128, uint128(own));
    }

    /// @inheritdoc ISplits
    function owed(Leaf calldata leaf) external view nonReentrantView returns (uint256) {
        bytes32 id = MerkleSum.checkLeaf(leaf);
        (, uint256 from) = _checkpoint(id, leaf.token, leaf.index);
        return _owed(leaf, _cumulative[id][leaf.token], from);
    }

    /// @inheritdoc ISplits
    function claimNonce(address payee) external view returns (uint256) {
        return _claimNonces[payee];
    }

    /// @inheritdoc ISplits
    function standingAddress(address payee) external view returns (address) {
        return _standing[payee];
    }
}
