// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Holds the heads of one append-only log so that its operator cannot rewrite it.
/// @notice Only sizes and Merkle roots come here; nothing about anybody can be learned from them.
/// @dev Nobody can change the code, take the role from the anchorer, or stop the contract; it holds no coin. The anchorer
/// and the size share a storage slot, so an anchor writes two slots and costs the same however large the log is.
contract TillitAnchor {
    /// @notice The only account that may anchor and hand this role on.
    address public anchorer;
    /// @notice How many leaves the log had at its newest anchor; it never gets smaller.
    uint64 public latestSize;
    /// @notice RFC 6962 root over the first `latestSize` leaves.
    bytes32 public latestRoot;

    /// @notice The log has `size` leaves with this root. Sizes of successive events grow.
    event Anchored(uint64 indexed size, bytes32 root);
    /// @notice The role of the anchorer went over; the first one follows on address zero, in the contract's first event.
    event AnchorerRotated(address indexed from, address indexed to);

    /// @notice The caller is not the anchorer.
    error NotAnchorer();
    /// @notice Address zero cannot anchor.
    error NoAnchorer();
    /// @notice The log has `latestSize` leaves already, or another root at that size.
    error LogShrank(uint64 latestSize);

    /// @param firstAnchorer The account that anchors from the start.
    constructor(address firstAnchorer) {
        if (firstAnchorer == address(0)) revert NoAnchorer();
        anchorer = firstAnchorer;
        emit AnchorerRotated(address(0), firstAnchorer);
    }

    modifier onlyAnchorer() {
        if (msg.sender != anchorer) revert NotAnchorer();
        _;
    }

    /// @notice Anchors a head. The log only grows; the same head again changes nothing, so a retry is safe.
    /// @param root RFC 6962 root over the first `size` leaves.
    /// @param size How many leaves the log has.
    function anchor(bytes32 root, uint64 size) external onlyAnchorer {
        if (size == latestSize && root == latestRoot) return;
        if (size <= latestSize) revert LogShrank(latestSize);
        latestSize = size;
        latestRoot = root;
        emit Anchored(size, root);
    }

    /// @notice Hands the role on; the old anchorer loses it at once.
    /// @param to The account that anchors from now on.
    function rotateAnchorer(address to) external onlyAnchorer {
        if (to == address(0)) revert NoAnchorer();
        emit AnchorerRotated(anchorer, to);
        anchorer = to;
    }

    /// @notice The newest anchored head.
    /// @return size How many leaves the log has; zero before the first anchor.
    /// @return root RFC 6962 root over them.
    function latest() external view returns (uint64 size, bytes32 root) {
        return (latestSize, latestRoot);
    }
}
