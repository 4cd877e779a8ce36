// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { ISplits } from "../../contracts/interfaces/ISplits.sol";
import { Splits } from "../../contracts/Splits.sol";
import { Test } from "./Vm.sol";

/// @notice Publishes runs of one split of four pages, right and wrong ones, and remembers which pages are public.
contract SplitRunsHandler is Test {
    uint256 private constant PAGE = 128;
    uint256 private constant PAGES = 4;

    Splits public immutable splits = new Splits();
    ISplits.Split public split;
    bytes32 public id;
    /// @notice Bit p: page p was in a run that Splits took.
    uint256 public published;
    /// @notice Whether a wrong run was ever taken.
    bool public cheated;
    bytes32[] private _words;
    /// @dev Hash and sum of the pages, of the two halves, of the whole.
    bytes32[] private _nodes;
    uint256[] private _sums;

    constructor() {
        for (uint256 i = 0; i < PAGES * PAGE; ++i) {
            // Page 1 ends with padding, page 3 is but one leaf.
            bool padding = (i > 200 && i < 256) || i > 384;
            _words.push(padding ? bytes32(0) : bytes32((uint256(0x1000 + i) << 96) | (1 << (i % 96))));
        }
        for (uint256 page = 0; page < PAGES; ++page) _pushPage(page);
        for (uint256 i = 0; i < 6; i += 2) {
            _nodes.push(keccak256(abi.encode(_nodes[i], _sums[i], _nodes[i + 1], _sums[i + 1])));
            _sums.push(_sums[i] + _sums[i + 1]);
        }
        split = ISplits.Split({ root: _nodes[6], total: _sums[6], depth: 9 });
        id = splits.splitId(split);
    }

    // ---- what people do

    function publish(uint256 level, uint256 place) external {
        ISplits.Run memory run = _run(level %= 3, place);
        splits.publish(split, _alone(run));
        published |= ((1 << (1 << level)) - 1) << run.firstPage;
    }

    function publishTwo(uint256 level, uint256 place, uint256 other) external {
        ISplits.Run[] memory runs = new ISplits.Run[](2);
        (runs[0], runs[1]) = (_run(level %= 3, place), _run(0, other));
        splits.publish(split, runs);
        published |= (((1 << (1 << level)) - 1) << runs[0].firstPage) | (1 << runs[1].firstPage);
    }

    function cheat(uint256 level, uint256 place, uint256 how, uint256 where) external {
        level %= 3;
        ISplits.Run memory run = _run(level, place);
        how %= 6;
        if (how == 0) run.firstPage = run.firstPage + bound(where, 1, type(uint256).max - PAGES);
        if (how == 1) run.words = _resized(run.words, bound(where, 0, run.words.length - 1));
        if (how == 2) run.words = _resized(run.words, run.words.length * bound(where, 2, 4));
        if (how == 3) run.siblings = _resized(run.siblings, run.siblings.length + bound(where, 1, 4));
        if (how == 4) run.words[where % run.words.length] ^= bytes32(uint256(1) << (where >> 8) % 256);
        if (how == 5) {
            if (level == 2) return;
            run.siblings[where % run.siblings.length] ^= bytes32(uint256(1) << (where >> 8) % 256);
        }
        try splits.publish(split, _alone(run)) {
            cheated = true;
        } catch {}
    }

    // ---- the tree

    function _pushPage(uint256 page) private {
        bytes32[] memory nodes = new bytes32[](PAGE);
        uint256[] memory sums = new uint256[](PAGE);
        for (uint256 i = 0; i < PAGE; ++i) {
            nodes[i] = _words[page * PAGE + i];
            sums[i] = uint96(uint256(nodes[i]));
        }
        for (uint256 size = PAGE; size > 1; size /= 2) {
            for (uint256 i = 0; i < size; i += 2) {
                nodes[i / 2] =
                    size == PAGE
                        ? keccak256(abi.encode(nodes[i], nodes[i + 1]))
                        : keccak256(abi.encode(nodes[i], sums[i], nodes[i + 1], sums[i + 1]));
                sums[i / 2] = sums[i] + sums[i + 1];
            }
        }
        _nodes.push(nodes[0]);
        _sums.push(sums[0]);
    }

    function _run(uint256 level, uint256 place) private view returns (ISplits.Run memory run) {
        place %= PAGES >> level;
        run.firstPage = place << level;
        run.words = new bytes32[](PAGE << level);
        for (uint256 i = 0; i < run.words.length; ++i) run.words[i] = _words[run.firstPage * PAGE + i];
        run.siblings = new bytes32[](2 * (2 - level));
        for (uint256 i = 0; level < 2; ++level) {
            uint256 node = (level == 0 ? 0 : 4) + (place ^ 1);
            (run.siblings[i++], run.siblings[i++]) = (_nodes[node], bytes32(_sums[node]));
            place /= 2;
        }
    }

    function _alone(ISplits.Run memory run) private pure returns (ISplits.Run[] memory runs) {
        runs = new ISplits.Run[](1);
        runs[0] = run;
    }

    function _resized(bytes32[] memory words, uint256 size) private pure returns (bytes32[] memory other) {
        other = new bytes32[](size);
        for (uint256 i = 0; i < size && i < words.length; ++i) other[i] = words[i];
    }
}

contract SplitRunsInvariants is Test {
    SplitRunsHandler private handler;

    function setUp() external {
        handler = new SplitRunsHandler();
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function invariant_P11_noWrongRunIsTaken() external view {
        check(!handler.cheated(), "P-11: a wrong run was published");
    }

    function invariant_P05_pagesOfRunsArePublicEachOnce() external view {
        Splits splits = handler.splits();
        bytes32 id = handler.id();
        uint256 count = 0;
        for (uint256 page = 0; page < 4; ++page) {
            bool known = (handler.published() >> page) & 1 == 1;
            if (known) ++count;
            check(splits.isPagePublished(id, page) == known, "P-05: a page that nobody published, or one that is lost");
        }
        (uint256 published, uint256 pages) = splits.publication(id);
        checkEqual(published, count, "P-05: a page counts twice");
        checkEqual(pages, count == 0 ? 0 : 4, "number of pages");
        check(splits.isPublished(id) == (count == 4), "P-05: published means every page");
    }
}
