import { canonicalBytes, sha256, toHex } from '@tillit/codec'
import { type PurposeCatalogue, purposeCatalogue, type Scope } from '@tillit/schemas'
import { parseScope } from './parse-scope.ts'
import { axes } from './scope-axes.ts'

/** An axis on which one scope asks for more than another allows; `words` is a sentence for a person. */
export interface Excess {
  axis: string
  asked: string
  allowed: string
  words: string
}

/**
 * a ⊑ b: `a` asks for no more than `b` on every axis. Both are parsed scopes. Reflexive, transitive, and antisymmetric
 * on the canonical form that parseScope gives. Throws Problem on scopes that parseScope would refuse.
 */
export function scopeWithin(a: Scope, b: Scope, catalogue: PurposeCatalogue = purposeCatalogue): boolean {
  return axes.every((axis) => axis.within(a, b, catalogue))
}

/** Where `a` asks for more than `b`; empty exactly when scopeWithin(a, b). */
export function explainWithin(a: Scope, b: Scope, catalogue: PurposeCatalogue = purposeCatalogue): Excess[] {
  return axes
    .filter((axis) => !axis.within(a, b, catalogue))
    .map((axis) => {
      const [asked, allowed] = [axis.show(a), axis.show(b)]
      return { axis: axis.axis, asked, allowed, words: `It ${axis.wider}: ${asked}, where ${allowed} is allowed` }
    })
}

/** The widest scope within both, or null when they have nothing in common. */
export function meet(a: Scope, b: Scope, catalogue: PurposeCatalogue = purposeCatalogue): Scope | null {
  const common: Scope = { ...a }
  for (const axis of axes) {
    const part = axis.meet(a, b, catalogue)
    if (part === null) return null
    Object.assign(common, part)
  }
  return common
}

/** SHA-256 of the RFC 8785 form of the canonical scope, hex. The same for every way to write the same scope. */
export function scopeDigest(scope: Scope, catalogue: PurposeCatalogue = purposeCatalogue): string {
  return toHex(sha256(canonicalBytes(parseScope(scope, { catalogue }))))
}
