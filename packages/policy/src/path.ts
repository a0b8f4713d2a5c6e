import { canonicalJson } from '@tillit/codec'
import { type PermissionState, type PurposeCatalogue, purposeCatalogue, type Scope } from '@tillit/schemas'
import { parseScope } from './parse-scope.ts'
import { type PreparedScope, prepareScope } from './prepare-scope.ts'
import { purposeIncluded } from './purpose-tree.ts'

/** When the customer held the metering point. `to` null: still. */
export interface Ownership {
  from: Date
  to: Date | null
}

/** Somebody between the customer and the data, as the trust registry has them at the moment. */
export interface PathParty {
  did: string
  /** ACTIVE, or whatever else keeps them from the data. */
  status: string
  roles: readonly string[]
  purposes: readonly string[]
  /** ISO 3166-1 alpha-2. */
  country: string
}

/** A permission, or a delegation of one, as a reader's way to the data. */
export interface PermissionPath {
  kind: 'permission'
  /** Names the path: the permission id, or permission id and chain digest for a delegation. */
  id: string
  permissionId: string
  version: number
  state: PermissionState
  partyDid: string
  /** The party itself or the last delegatee of the chain. */
  callerDid: string
  /** The party, then each delegatee down to the caller. The party answers for the purpose; all must be active. */
  parties: PathParty[]
  /** The meet along the chain. */
  scope: unknown
  /** The earliest end along the chain. */
  expires: Date
  delegationRevoked: boolean
  /** The periods in which the granting customer was entitled to the metering point. */
  ownership: Ownership[]
}

/** A customer's own way to the data of the periods in which the metering point was theirs. */
export interface OwnDataPath {
  kind: 'own-data'
  id: string
  customerId: string
  resource: string
  ownership: Ownership[]
}

interface PreparedInterval {
  readonly from: number
  readonly to: number
}

/** A path ready for many decisions. Prepare it once per permission version. */
export type PreparedPath =
  | {
      readonly kind: 'permission'
      readonly id: string
      readonly key: string
      readonly permissionId: string
      readonly version: number
      readonly state: PermissionState
      readonly callerDid: string
      readonly partyActive: boolean
      /** Whether the party may still ask for what the permission is for. */
      readonly accredited: boolean
      /** Countries that the data goes to. */
      readonly countries: readonly string[]
      readonly expires: number
      readonly delegationRevoked: boolean
      readonly scope: PreparedScope
      readonly ownership: readonly PreparedInterval[]
    }
  | {
      readonly kind: 'own-data'
      readonly id: string
      readonly key: string
      readonly customerId: string
      readonly resource: string
      readonly ownership: readonly PreparedInterval[]
    }
  | { readonly kind: 'unreadable'; readonly id: string; readonly key: string; readonly error: string }

/** Never throws: a path that cannot be read becomes one that permits nothing and says so. */
export function preparePath(
  path: PermissionPath | OwnDataPath,
  options: { catalogue?: PurposeCatalogue } = {},
): PreparedPath {
  const { catalogue = purposeCatalogue } = options
  try {
    // The key orders paths and finds twins, so it holds all that a decision depends on.
    const key = canonicalJson(path)
    const ownership = joinIntervals(path.ownership)
    if (path.kind === 'own-data') {
      return { kind: path.kind, id: path.id, key, customerId: path.customerId, resource: path.resource, ownership }
    }
    const scope: Scope = parseScope(path.scope, { catalogue })
    return {
      kind: path.kind,
      id: path.id,
      key,
      permissionId: path.permissionId,
      version: path.version,
      state: path.state,
      callerDid: path.callerDid,
      partyActive: path.parties.length > 0 && path.parties.every(({ status }) => status === 'ACTIVE'),
      accredited: isAccredited(path.parties[0], scope, catalogue),
      countries: path.parties.map(({ country }) => country),
      expires: path.expires.getTime(),
      delegationRevoked: path.delegationRevoked,
      scope: prepareScope(scope, catalogue),
      ownership,
    }
  } catch (error) {
    const id = String(path.id)
    return { kind: 'unreadable', id, key: `~${id}`, error: error instanceof Error ? error.message : 'not readable' }
  }
}

function isAccredited(party: PathParty | undefined, scope: Scope, catalogue: PurposeCatalogue): boolean {
  if (!party?.roles.includes('eligible_party')) return false
  return scope.purpose.every(({ code }) => party.purposes.some((allowed) => purposeIncluded(code, allowed, catalogue)))
}

/** Intervals that touch or overlap become one, so that a period is owned exactly when one interval holds it. */
function joinIntervals(ownership: readonly Ownership[]): PreparedInterval[] {
  const intervals = ownership
    .map(({ from, to }) => ({ from: from.getTime(), to: to === null ? Number.POSITIVE_INFINITY : to.getTime() }))
    .filter(({ from, to }) => from < to)
    .sort((a, b) => a.from - b.from)
  const joined: { from: number; to: number }[] = []
  for (const interval of intervals) {
    const last = joined.at(-1)
    if (last && interval.from <= last.to) last.to = Math.max(last.to, interval.to)
    else joined.push({ ...interval })
  }
  return joined
}
