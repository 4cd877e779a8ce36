// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { BlocklistDollar } from "../../contracts/test/BlocklistDollar.sol";
import { ISplits } from "../../contracts/interfaces/ISplits.sol";
import { Splits } from "../../contracts/Splits.sol";
import { Test } from "./Vm.sol";

/// @notice Does to one split of four payees whatever people may do, and keeps count of what they were paid.
contract SplitsHandler is Test {
    Splits public immutable splits = new Splits();
    BlocklistDollar public immutable token = new BlocklistDollar();

    uint256 public credited;
    uint256 public donated;
    uint256 public waiting;
    /// @notice What a leaf was paid, as its payee's balances show.
    uint256[4] public paid;
    bytes32[4] private _words;
    uint256[4] private _units = [uint256(1), 3, 1e9, type(uint96).max];
    bytes32[2] private _nodes;
    ISplits.Split private _split;
    bytes32 private _id;
    bool private _expected;

    constructor() {
        for (uint256 i = 0; i < 4; ++i) {
            _words[i] = bytes32((uint256(uint160(payee(i))) << 96) | _units[i]);
            _split.total += _units[i];
        }
        _nodes[0] = keccak256(abi.encodePacked(_words[0], _words[1]));
        _nodes[1] = keccak256(abi.encodePacked(_words[2], _words[3]));
        _split.root = keccak256(abi.encodePacked(_nodes[0], _units[0] + _units[1], _nodes[1], _units[2] + _units[3]));
        _split.depth = 2;
        _id = splits.splitId(_split);
        ISplits.Run[] memory runs = new ISplits.Run[](1);
        (runs[0].words, runs[0].siblings) = (_page(), new bytes32[](0));
        splits.publish(_split, runs);
        token.approve(address(splits), type(uint256).max);
    }

    // ---- what people do

    function credit(uint256 amount) external {
        amount = bound(amount, 1, 1e30);
        token.mint(address(this), amount);
        credited += splits.credit(_id, address(token), amount);
    }

    function creditByCallback(uint256 amount) external {
        _expected = true;
        credited += splits.creditByCallback(_id, address(token), bound(amount, 1, 1e30), "");
        _expected = false;
    }

    function fund(uint256 amount) external {
        _expected = true;
        waiting += splits.fundAccountByCallback(address(this), 0, address(token), bound(amount, 1, 1e30), "");
        _expected = false;
    }

    function move(uint256 amount) external {
        if (waiting == 0) return;
        amount = bound(amount, 1, waiting);
        splits.moveAccount(0, address(token), _id, amount);
        waiting -= amount;
        credited += amount;
    }

    function pay(uint256 retry) external {
        ISplits.PagePayout[] memory pages = new ISplits.PagePayout[](1);
        pages[0] = ISplits.PagePayout({ page: 0, retry: retry, words: _page(), siblings: new bytes32[](0) });
        try splits.payPages(_split, address(token), 100_000, pages) {} catch {}
        _count();
    }

    function claim(uint256 first, uint256 second) external {
        ISplits.Leaf[] memory leaves = new ISplits.Leaf[](2);
        (leaves[0], leaves[1]) = (leaf(first % 4), leaf(second % 4));
        try splits.claim(leaves) {} catch {}
        _count();
    }

    function claimTo(uint256 index) external {
        ISplits.Leaf[] memory leaves = new ISplits.Leaf[](1);
        leaves[0] = leaf(index %= 4);
        vm.prank(payee(index));
        try splits.claimTo(leaves, wallet(index)) {} catch {}
        _count();
    }

    function place(uint256 index, bool out) external {
        ISplits.Leaf[] memory leaves = new ISplits.Leaf[](1);
        leaves[0] = leaf(index %= 4);
        vm.prank(payee(index));
        splits.placeLeaves(leaves, out);
    }

    function stand(uint256 index, bool set) external {
        vm.prank(payee(index %= 4));
        splits.setStandingAddress(set ? wallet(index) : address(0));
    }

    function setBlocked(uint256 index, bool blocked) external {
        token.setBlocked(payee(index % 4), blocked);
    }

    function donate(uint256 amount) external {
        amount = bound(amount, 1, 1e30);
        token.mint(address(splits), amount);
        donated += amount;
    }

    function onSplitsPull(address, uint256 amount, bytes calldata) external {
        // The fuzzer calls it too, in the name of a payee or of Splits.
        if (_expected) token.mint(msg.sender, amount);
    }

    // ---- what is true of it

    function payee(uint256 index) public pure returns (address) {
        return address(uint160(0x1000 + index));
    }

    function wallet(uint256 index) public pure returns (address) {
        return address(uint160(0x2000 + index));
    }

    function entitled(uint256 index) external view returns (uint256) {
        return (credited * _units[index]) / _split.total;
    }

    function owed(uint256 index) external view returns (uint256) {
        return splits.owed(leaf(index));
    }

    function leaf(uint256 index) public view returns (ISplits.Leaf memory item) {
        uint256 side = (index >> 1) ^ 1;
        bytes32[] memory siblings = new bytes32[](3);
        siblings[0] = _words[index ^ 1];
        siblings[1] = _nodes[side];
        siblings[2] = bytes32(_units[2 * side] + _units[2 * side + 1]);
        item = ISplits.Leaf(_split, address(token), index, _words[index], siblings);
    }

    function _page() private view returns (bytes32[] memory words) {
        words = new bytes32[](4);
        for (uint256 i = 0; i < 4; ++i) words[i] = _words[i];
    }

    /// @dev P-04: what a leaf was paid only grows.
    function _count() private {
        for (uint256 i = 0; i < 4; ++i) {
            uint256 now_ = token.balanceOf(payee(i)) + token.balanceOf(wallet(i));
            check(now_ >= paid[i], "P-04: a payee lost money");
            paid[i] = now_;
        }
    }
}

contract SplitsInvariants is Test {
    SplitsHandler private handler;

    function setUp() external {
        handler = new SplitsHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_P01_solvencyAndP12_donationsCountForNothing() external view {
        uint256 liable = handler.waiting();
        for (uint256 i = 0; i < 4; ++i) liable += handler.owed(i);
        uint256 held = handler.token().balanceOf(address(handler.splits()));
        check(held >= liable + handler.donated(), "P-01: less is held than owed");
        check(held - liable - handler.donated() < 4, "P-02: more is held than the residue");
    }

    function invariant_P02_conservationAndP04_nobodyBeyondHisDue() external view {
        uint256 sum;
        for (uint256 i = 0; i < 4; ++i) {
            checkEqual(handler.paid(i) + handler.owed(i), handler.entitled(i), "P-04: paid + owed = entitled");
            sum += handler.entitled(i);
        }
        check(sum <= handler.credited() && handler.credited() - sum < 4, "P-02: credited = paid + owed + residue");
    }

    function invariant_P08_accountIsItsControllersOwn() external view {
        Splits splits = handler.splits();
        bytes32 account = splits.accountId(address(handler), 0);
        checkEqual(splits.accountBalance(account, address(handler.token())), handler.waiting(), "P-02: account");
    }
}
