// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.28;

/// @title Holds the heads of one append-only log so that its operator cannot rewrite it.
/// @notice Only sizes and Merkle roots come here; nothing about anybody can be learned from them.
contract TillitAnchor {
    /// The only account that may anchor.
    address public anchorer;
    uint64 public latestSize;
    bytes32 public latestRoot;

    event Anchored(uint64 indexed size, bytes32 root);
    event AnchorerRotated(address indexed from, address indexed to);

    error NotAnchorer();
    error NoAnchorer();
    /// The log has `latestSize` leaves already, or another root at that size.
    error LogShrank(uint64 latestSize);

    constructor(address firstAnchorer) {
        if (firstAnchorer == address(0)) revert NoAnchorer();
        anchorer = firstAnchorer;
        emit AnchorerRotated(address(0), firstAnchorer);
    }

    modifier onlyAnchorer() {
        if (msg.sender != anchorer) revert NotAnchorer();
        _;
    }

    /// Anchors a head. The log only grows; the same head again changes nothing, so a retry is safe.
    function anchor(bytes32 root, uint64 size) external onlyAnchorer {
        if (size == latestSize && root == latestRoot) return;
        if (size <= latestSize) revert LogShrank(latestSize);
        latestSize = size;
        latestRoot = root;
        emit Anchored(size, root);
    }

    /// Hands the role on; the old anchorer loses it at once.
    function rotateAnchorer(address to) external onlyAnchorer {
        if (to == address(0)) revert NoAnchorer();
        emit AnchorerRotated(anchorer, to);
        anchorer = to;
    }

    function latest() external view returns (uint64 size, bytes32 root) {
        return (latestSize, latestRoot);
    }
}
