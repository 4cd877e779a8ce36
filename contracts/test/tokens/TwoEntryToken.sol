// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { PlainToken } from "./PlainToken.sol";

/// @title TwoEntryToken
/// @notice Test chains only: one set of balances and allowances behind two addresses, its own and that of `second`.
contract TwoEntryToken is PlainToken {
    SecondEntry public immutable second = new SecondEntry(this);

    error NotSecondEntry(address caller);

    modifier onlySecond() {
        if (msg.sender != address(second)) revert NotSecondEntry(msg.sender);
        _;
    }

    constructor(uint8 decimals_) PlainToken(decimals_) {}

    function transferFor(address sender, address to, uint256 value) external onlySecond {
        _transfer(sender, to, value);
    }

    function transferFromFor(address spender, address from, address to, uint256 value) external onlySecond {
        _spendAllowance(from, spender, value);
        _transfer(from, to, value);
    }

    function approveFor(address owner, address spender, uint256 value) external onlySecond {
        _approve(owner, spender, value);
    }
}

/// @title SecondEntry
/// @notice Test chains only: the other address of a TwoEntryToken.
contract SecondEntry is IERC20 {
    TwoEntryToken public immutable first;

    constructor(TwoEntryToken first_) {
        first = first_;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        first.transferFor(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        first.transferFromFor(msg.sender, from, to, value);
        return true;
    }

    function approve(address spender, uint256 value) external returns (bool) {
        first.approveFor(msg.sender, spender, value);
        return true;
    }

    function balanceOf(address account) external view returns (uint256) {
        return first.balanceOf(account);
    }

    function allowance(address owner, address spender) external view returns (uint256) {
        return first.allowance(owner, spender);
    }

    function totalSupply() external view returns (uint256) {
        return first.totalSupply();
    }
}
