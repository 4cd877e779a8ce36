// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Reaction
/// @notice Test chains only: a call that its heir makes when something happens to it, as an attacker would.
abstract contract Reaction {
    /// @notice How often the reaction ran.
    uint256 public reactions;
    /// @notice Whether the last reaction's call succeeded, and what it returned.
    bool public lastSuccess;
    bytes public lastReturned;

    address private _target;
    bytes private _data;
    uint256 private _left;
    bool private _passErrors;

    /// @notice The next `times` times calls `target` with `data`; `passErrors`: its failure becomes the heir's own.
    function arm(address target, bytes calldata data, uint256 times, bool passErrors) external {
        _target = target;
        _data = data;
        _left = times;
        _passErrors = passErrors;
    }

    /// @notice Calls anything, as a person behind the heir would.
    function execute(address target, bytes calldata data) external payable returns (bytes memory returned) {
        bool success;
        (success, returned) = target.call{ value: msg.value }(data);
        if (!success) _revertWith(returned);
    }

    function _react() internal {
        if (_left == 0) return;
        --_left;
        ++reactions;
        (bool success, bytes memory returned) = _target.call(_data);
        if (!success && _passErrors) _revertWith(returned);
        lastSuccess = success;
        lastReturned = returned;
    }

    function _revertWith(bytes memory reason) private pure {
        assembly ("memory-safe") {
            revert(add(reason, 32), mload(reason))
        }
    }
}
