// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ISplitsPayer
/// @notice What a contract implements to pay into Splits by callback.
interface ISplitsPayer {
    /// @notice Called by Splits, inside its guard, to make `amount` of `token` arrive at Splits.
    /// @dev The implementer must check that the caller is Splits and that it expects the call.
    /// @param token the ERC-20 to be moved
    /// @param amount base units asked for; what arrives is measured and may differ
    /// @param data the bytes that the implementer gave to `creditByCallback` or `fundAccountByCallback`
    function onSplitsPull(address token, uint256 amount, bytes calldata data) external;
}

/// @title ISplits
/// @notice The money of the ledger: immutable splits, credits, payouts by page, claims by proof, and accounts of money
///         that waits for its split. The only contract of the ledger that holds tokens. It has no owner.
/// @dev A split is a binary Merkle-sum tree over 2^depth leaves. A leaf is one word: payee (20 bytes, high) and units
///      (12 bytes, low); payee is zero if and only if units are zero. With `sum` the units below a node:
///
///      level 1 node = keccak256(leaf ‖ leaf), 64 bytes
///      level n node = keccak256(left hash ‖ left sum ‖ right hash ‖ right sum), 128 bytes, for n ≥ 2
///      split id     = keccak256(root ‖ total ‖ depth), 96 bytes; at depth 0 the root is the leaf itself
///
///      A leaf is entitled to floor(cumulative × units / total) of each token, and is paid the difference between two
///      such floors. Proofs are lists of words, from the leaf upwards: for a leaf the neighbouring leaf word, then
///      (hash, sum) for each higher level, 2·depth − 1 words in all (0 at depth 0); for a page of 128 leaves (hash, sum)
///      for each level above 7, 2·(depth − 7) words, none at depth ≤ 7; for a run of 2^k pages those above 7 + k,
///      2·(depth − 7 − k) words.
interface ISplits {
    /// @notice The content of a split id.
    /// @param root hash of the top node, or the leaf itself at depth 0
    /// @param total units of all leaves, 1 to 2^128 − 1
    /// @param depth levels above the leaves, 0 to 32
    struct Split {
        bytes32 root;
        uint256 total;
        uint256 depth;
    }

    /// @notice A run of 2^k neighbouring pages and its place in the tree; with k = 0 one page.
    /// @param firstPage number of its first page, a multiple of 2^k; page p holds the leaves 128p to 128p + 127
    /// @param words exactly 2^k · min(128, 2^depth) leaf words, padding included
    /// @param siblings the proof of the node that spans the run
    struct Run {
        uint256 firstPage;
        bytes32[] words;
        bytes32[] siblings;
    }

    /// @notice One page to be paid.
    /// @param page number of the page
    /// @param retry bit i set: try again leaf 128·page + i, whose last transfer failed
    /// @param words exactly min(128, 2^depth) leaf words, padding included
    /// @param siblings the proof of the page
    struct PagePayout {
        uint256 page;
        uint256 retry;
        bytes32[] words;
        bytes32[] siblings;
    }

    /// @notice One leaf of one split in one token.
    /// @param split the split
    /// @param token the ERC-20 to be claimed
    /// @param index the leaf's position, below 2^depth
    /// @param leaf payee and units
    /// @param siblings the proof of the leaf
    struct Leaf {
        Split split;
        address token;
        uint256 index;
        bytes32 leaf;
        bytes32[] siblings;
    }

    // Entries of the journal, in the order of a split's life

    /// @notice A page was checked against its root and is now public. `words` ends at the last leaf with units.
    event PagePublished(
        bytes32 indexed splitId,
        address caller,
        bytes32 root,
        uint256 total,
        uint256 depth,
        uint256 page,
        bytes32[] words
    );
    /// @notice `amount` of `token` arrived and belongs to the split.
    event Credited(bytes32 indexed splitId, address caller, address token, uint256 amount);
    /// @notice A page was paid up to `cumulative`. `retry` as given; `failed` are the leaves whose transfer failed now;
    ///         `paid` is the sum of the transfers that succeeded.
    event PagePaid(
        bytes32 indexed splitId,
        address caller,
        address token,
        uint256 page,
        uint256 cumulative,
        uint256 retry,
        uint256 failed,
        uint256 paid
    );
    /// @notice One leaf was paid up to `cumulative` by claim.
    event Claimed(
        bytes32 indexed splitId,
        address caller,
        address token,
        uint256 index,
        bytes32 leaf,
        address to,
        uint256 cumulative,
        uint256 paid
    );
    /// @notice A payee took a leaf out of its page for one token (`out`), or put it back.
    event LeafPlaced(
        bytes32 indexed splitId,
        address caller,
        address token,
        uint256 index,
        bytes32 leaf,
        uint256 checkpoint,
        bool out
    );
    /// @notice A payee named the address to which claims by anyone go; zero: to itself.
    event StandingAddressSet(bytes32 indexed payee, address caller, address to);
    /// @notice A payee's claim nonce was used or cancelled.
    event ClaimNonceUsed(bytes32 indexed payee, address caller, uint256 nonce);
    /// @notice `amount` of `token` arrived and waits in an account.
    event AccountFunded(
        bytes32 indexed account,
        address caller,
        address controller,
        bytes32 salt,
        address token,
        uint256 amount
    );
    /// @notice The controller moved `amount` out of its account into a published split.
    event AccountMoved(bytes32 indexed account, address caller, address token, bytes32 splitId, uint256 amount);

    // Publication

    /// @notice Publishes the pages of runs of a split; a page that is public already is passed over.
    /// @dev Reverts with the Splits_ errors of trees and proofs. Anyone may call. Here alone is each word of a page
    ///      checked: it has both payee and units or neither, and does not name Splits. Pages that share a run share its
    ///      proof, so a large run is cheaper than its pages one by one.
    function publish(Split calldata split, Run[] calldata runs) external;

    // Money in

    /// @notice Pulls `amount` of `token` from the caller, by its allowance, and credits what arrives to a published split.
    /// @return credited base units that arrived
    function credit(bytes32 splitId, address token, uint256 amount) external returns (uint256 credited);

    /// @notice Calls the caller back (ISplitsPayer) and credits what arrives to the split.
    /// @dev The caller vouches that the split is published.
    /// @return credited base units that arrived
    function creditByCallback(
        bytes32 splitId,
        address token,
        uint256 amount,
        bytes calldata data
    ) external returns (uint256 credited);

    /// @notice Calls the caller back (ISplitsPayer) and puts what arrives into the account of `controller` and `salt`.
    /// @return funded base units that arrived
    function fundAccountByCallback(
        address controller,
        bytes32 salt,
        address token,
        uint256 amount,
        bytes calldata data
    ) external returns (uint256 funded);

    /// @notice Moves money of the caller's account into a published split.
    function moveAccount(bytes32 salt, address token, bytes32 splitId, uint256 amount) external;

    // Money out

    /// @notice Pays pages of one split in one token. A payee whose transfer fails is passed over, keeps every unit, and
    ///         is paid by a later page that names it in `retry`, or by claim.
    /// @param gasEach gas given to each transfer, at least 100,000
    /// @return paid base units of all transfers that succeeded; a call that pays nothing reverts
    function payPages(
        Split calldata split,
        address token,
        uint256 gasEach,
        PagePayout[] calldata pages
    ) external returns (uint256 paid);

    /// @notice Pays leaves to their payees, or to the standing addresses of these. Anyone may call.
    /// @dev Neighbouring items of one recipient and token share one transfer.
    /// @return paid base units, summed over all items; a call that pays nothing reverts
    function claim(Leaf[] calldata leaves) external returns (uint256 paid);

    /// @notice Pays the caller's own leaves to `to`.
    function claimTo(Leaf[] calldata leaves, address to) external returns (uint256 paid);

    /// @notice Pays the leaves of `payee` to `to`, by the payee's EIP-712 signature (EOA or ERC-1271) over
    ///         ClaimTo(bytes32 leavesHash,address to,uint256 nonce,uint256 deadline), where leavesHash is
    ///         keccak256 of the concatenation of keccak256(splitId ‖ token ‖ index) over the leaves, in order.
    function claimBySignature(
        Leaf[] calldata leaves,
        address payee,
        address to,
        uint256 nonce,
        uint256 deadline,
        bytes calldata signature
    ) external returns (uint256 paid);

    /// @notice Uses up the caller's next claim nonce, so that a signature given away is void.
    function cancelClaimNonce() external;

    /// @notice Names the address to which claims by anyone go; zero: to the payee itself. Pages pay the payee itself.
    function setStandingAddress(address to) external;

    /// @notice Takes the caller's leaves out of their pages (`out`), so that only claims pay them, or puts them back.
    function placeLeaves(Leaf[] calldata leaves, bool out) external;

    // Views

    /// @notice keccak256(root ‖ total ‖ depth), after the checks of range.
    function splitId(Split calldata split) external pure returns (bytes32);
    /// @notice keccak256(controller ‖ salt), the controller left-padded to 32 bytes.
    function accountId(address controller, bytes32 salt) external pure returns (bytes32);
    /// @notice Whether every page of the split is public.
    function isPublished(bytes32 id) external view returns (bool);
    /// @notice Whether one page of the split is public.
    function isPagePublished(bytes32 id, uint256 page) external view returns (bool);
    /// @notice Number of public pages, and of all pages (0 before the first is published).
    function publication(bytes32 id) external view returns (uint256 published, uint256 pages);
    /// @notice All that was ever credited to the split in the token, in base units; it only grows.
    function cumulative(bytes32 id, address token) external view returns (uint256);
    /// @notice Base units that wait in the account.
    function accountBalance(bytes32 account, address token) external view returns (uint256);
    /// @notice The page's cumulative at its last payout, and the bitmap of leaves with a checkpoint of their own.
    /// @dev Reverts while a call of Splits is under way.
    function pageState(
        bytes32 id,
        address token,
        uint256 page
    ) external view returns (uint256 paidUpTo, uint256 exceptions);
    /// @notice A leaf's own checkpoint; zero if and only if its bit is clear in the page's `exceptions`.
    /// @dev Reverts while a call of Splits is under way.
    /// @return kind 1 claimed ahead of its page, 2 passed over by its page, 3 taken out of its page
    /// @return checkpoint the cumulative up to which the leaf was paid
    function leafState(
        bytes32 id,
        address token,
        uint256 index
    ) external view returns (uint256 kind, uint256 checkpoint);
    /// @notice What a leaf would be paid by a claim now, in base units.
    /// @dev Reverts while a call of Splits is under way: in the middle of a page later payees look paid already.
    function owed(Leaf calldata leaf) external view returns (uint256);
    /// @notice The payee's next claim nonce.
    function claimNonce(address payee) external view returns (uint256);
    /// @notice The address to which claims by anyone go; zero: the payee itself.
    function standingAddress(address payee) external view returns (address);
}
