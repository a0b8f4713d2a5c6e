import { largestPowerOfTwoBelow } from './merkle.ts'

/** Leaves from `start` up to, but without, `end`. */
export interface LeafRange {
  readonly start: number
  readonly end: number
}

/** A perfect subtree: the 2^height leaves from `index` * 2^height on. */
export interface Subtree {
  readonly height: number
  readonly index: number
}

/** The ranges whose hashes make an inclusion proof, the leaf's sibling first (RFC 9162 section 2.1.3.1). */
export function inclusionRanges(index: number, size: number): LeafRange[] {
  const ranges: LeafRange[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const split = start + largestPowerOfTwoBelow(end - start)
    if (index < split) {
      ranges.push({ start: split, end })
      end = split
    } else {
      ranges.push({ start, end: split })
      start = split
    }
  }
  return ranges.reverse()
}

/** The ranges whose hashes make a consistency proof (RFC 9162 section 2.1.4.1), for 0 < from < to. */
export function consistencyRanges(from: number, to: number): LeafRange[] {
  const ranges: LeafRange[] = []
  let start = 0
  let end = to
  // The old tree is a subtree of the new one as long as we only went left; then its root is known and left out.
  let oldRootKnown = true
  while (from < end) {
    const split = start + largestPowerOfTwoBelow(end - start)
    if (from <= split) {
      ranges.push({ start: split, end })
      end = split
    } else {
      ranges.push({ start, end: split })
      start = split
      oldRootKnown = false
    }
  }
  if (!oldRootKnown) ranges.push({ start, end })
  return ranges.reverse()
}

/** Cuts a range that starts on a boundary of its own size into perfect subtrees, the widest (leftmost) first. */
export function perfectSubtrees(range: LeafRange): Subtree[] {
  const subtrees: Subtree[] = []
  let start = range.start
  while (start < range.end) {
    const width = largestPowerOfTwoBelow(range.end - start + 1)
    subtrees.push({ height: Math.log2(width), index: start / width })
    start += width
  }
  return subtrees
}
