// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { IERC20 } from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import { SafeERC20 } from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import { Errors } from "../libraries/Errors.sol";
import { ISplits, ISplitsPayer } from "../interfaces/ISplits.sol";
import { SplitStore } from "./SplitStore.sol";

/// @title SplitCredits
/// @notice Money in: credits of splits, and accounts of money that waits for its split.
abstract contract SplitCredits is SplitStore {
    using SafeERC20 for IERC20;

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
}
