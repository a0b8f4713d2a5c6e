import { parseAbi } from 'viem'

/** What we call of infra/contracts/TillitAnchor.sol. */
export const anchorAbi = parseAbi([
  'constructor(address firstAnchorer)',
  'function anchor(bytes32 root, uint64 size)',
  'function rotateAnchorer(address to)',
  'function anchorer() view returns (address)',
  'function latest() view returns (uint64 size, bytes32 root)',
  'event Anchored(uint64 indexed size, bytes32 root)',
  'event AnchorerRotated(address indexed from, address indexed to)',
  'error NotAnchorer()',
  'error NoAnchorer()',
  'error LogShrank(uint64 latestSize)',
])
