export { type Ask, covers } from './covers.ts'
export { type Decision, decide, type Obligations, type ReadRequest, type ReasonCode, recheck } from './decide.ts'
export { refusalForReader } from './decision-reasons.ts'
export { childClaims, delegationType, rootClaims, statementDigest } from './delegation-claims.ts'
export { describeScope, type ScopeDescription } from './describe-scope.ts'
export type { PathExplanation } from './explain-path.ts'
export {
  commonCoarsening,
  derivable,
  type Granularity,
  granularityOfSeconds,
  granularityTier,
  parseGranularity,
  readGranularity,
} from './granularity.ts'
export { instantText, readInstant } from './instant.ts'
export { addLife, type Life, lifeWithin, parseLife } from './life.ts'
export { gsrnChecks, parseScope } from './parse-scope.ts'
export {
  type OwnDataPath,
  type Ownership,
  type PathParty,
  type PermissionPath,
  type PreparedPath,
  preparePath,
} from './path.ts'
export {
  eddieStatus,
  isAccepted,
  isTerminal,
  lift,
  nextPermissionState,
  type PermissionEventName,
  type Suspension,
  suspend,
} from './permission-states.ts'
export { type PreparedScope, prepareScope } from './prepare-scope.ts'
export { checkPurposeLimits, scopeTier } from './purpose-limits.ts'
export { findPurpose, purposeIncluded } from './purpose-tree.ts'
export { type Excess, explainWithin, meet, scopeDigest, scopeWithin } from './scope-order.ts'
export type { Locale } from './scope-words.ts'
export {
  maxDelegationHops,
  type VerifiedChain,
  type VerifiedHop,
  verifyDelegationChain,
} from './verify-delegation-chain.ts'
