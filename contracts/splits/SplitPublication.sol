// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import { MerkleSum } from "../libraries/MerkleSum.sol";
import { ISplits } from "../interfaces/ISplits.sol";
import { SplitStore } from "./SplitStore.sol";

/// @title SplitPublication
/// @notice Pages become public, each once.
abstract contract SplitPublication is SplitStore {
    /// @inheritdoc ISplits
    function publish(Split calldata split, Page[] calldata pages) external nonReentrant {
        for (uint256 i = 0; i < pages.length; ++i) {
            uint256 memoryMark = _memoryMark();
            Page calldata page = pages[i];
            (bytes32 id, uint256 used) = MerkleSum.checkPage(split, page.page, page.words, page.siblings);
            // Money of a leaf that names this contract could never leave it.
            used = MerkleSum.checkWords(page.words[:used], address(this));
            if (_markPublished(id, page.page, split.depth)) {
                _record(
                    PagePublished.selector,
                    id,
                    abi.encode(msg.sender, split.root, split.total, split.depth, page.page, page.words[:used])
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
}
