// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ILicences } from "./ILicences.sol";

/// @title ILicenceViews
/// @notice Answers about licences, worked out from the views of Licences by the same formulas. It keeps nothing, and
///         nothing depends on it.
interface ILicenceViews {
    /// @notice What is due for a period now, and why.
    /// @param royalty R of the period alone, or R over the life where tiers count over it
    /// @param earnedByTier royalty of each tier before flooring, × 1e6
    /// @param recouped part of the advance that royalties have covered so far
    /// @param owedInAll Y
    struct Due {
        uint256 start;
        uint256 end;
        uint256 reportBy;
        uint256 payBy;
        uint256 interestFrom;
        uint256 base;
        uint256[] earnedByTier;
        uint256 earned;
        uint256 guarantee;
        uint256 guaranteeTopUp;
        uint256 royalty;
        uint256 recouped;
        uint256 owedInAll;
        bool capReached;
        uint256 open;
        uint256 interest;
        uint256 setOff;
        bytes32 destination;
    }

    /// @notice The licences that it tells of.
    function licences() external view returns (ILicences);

    /// @notice What is due for a booked or unbooked period now, and why. Reverts for terms that are not the licence's,
    ///         that have no reports, or that end before the period.
    /// @dev `destination` is zero before the period begins, since another split may still be announced for it.
    function dueOf(uint256 licence, bytes calldata terms, uint256 period) external view returns (Due memory);

    /// @notice The line that these figures would book, as of now, and what would be set off against it. The period is
    ///         the next one, also before its end, or a booked one whose standing version is named.
    function quote(
        uint256 licence,
        bytes calldata terms,
        ILicences.Figures calldata figures
    ) external view returns (int256 line, uint256 setOff);
}
