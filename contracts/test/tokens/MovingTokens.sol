// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { PlainToken } from "./PlainToken.sol";

/// @title FeeToken
/// @notice Test chains only: of each transfer, `feePpm` parts per million are burnt, so that less arrives.
contract FeeToken is PlainToken {
    uint256 public feePpm;

    constructor(uint8 decimals_, uint256 feePpm_) PlainToken(decimals_) {
        feePpm = feePpm_;
    }

    function setFee(uint256 feePpm_) external {
        feePpm = feePpm_;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(to, address(0), (value * feePpm) / 1e6);
    }
}

/// @title SenderFeeToken
/// @notice Test chains only: each transfer takes `feePpm` parts per million from the sender, beyond what arrives.
contract SenderFeeToken is PlainToken {
    uint256 public feePpm;

    constructor(uint8 decimals_, uint256 feePpm_) PlainToken(decimals_) {
        feePpm = feePpm_;
    }

    function setFee(uint256 feePpm_) external {
        feePpm = feePpm_;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, value);
        if (from != address(0) && to != address(0)) super._update(from, address(0), (value * feePpm) / 1e6);
    }
}

/// @title RebasingToken
/// @notice Test chains only: balances are stored shares × index, so every balance changes at once and rounds down.
contract RebasingToken is PlainToken {
    uint256 private constant ONE = 1e18;
    /// @notice Base units a share is worth, × 1e18.
    uint256 public index = ONE;

    constructor(uint8 decimals_) PlainToken(decimals_) {}

    function rebase(uint256 index_) external {
        index = index_;
    }

    function balanceOf(address account) public view override returns (uint256) {
        return (super.balanceOf(account) * index) / ONE;
    }

    function _update(address from, address to, uint256 value) internal override {
        super._update(from, to, (value * ONE) / index);
    }
}

/// @title PausableToken
/// @notice Test chains only: anyone may pause it; then every transfer reverts.
contract PausableToken is PlainToken {
    error Paused();

    bool public paused;

    constructor(uint8 decimals_) PlainToken(decimals_) {}

    function setPaused(bool paused_) external {
        paused = paused_;
    }

    function _update(address from, address to, uint256 value) internal override {
        if (paused) revert Paused();
        super._update(from, to, value);
    }
}
