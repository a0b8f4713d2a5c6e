import type { TillitServer } from '@tillit/http'
import type { CredentialType, Party, PublicJwk } from '@tillit/schemas'
import { bootstrapRoot, type Root } from './accredit-organisation.ts'
import type { Holder } from './holder-facts.ts'
import { issueCredential } from './issue-credential.ts'
import { credentialIdentifiers } from './openid4vci/credential-identifiers.ts'
import { credentialsRoutes } from './plugin.ts'
import type { Context, CredentialsPorts } from './ports.ts'
import { revokeEndedEntitlements } from './revoke-ended-entitlements.ts'
import type { CredentialFormat } from './sign-credential.ts'
import { createStore } from './store.ts'
import { readParty } from './trust-registry.ts'
import { verificationOptions } from './verify-credential.ts'

/** Two bits each make 32 KiB: enough for a credential to hide among others. */
const defaultStatusListSize = 131_072

const upkeepIntervalMilliseconds = 60_000

/** A wallet may renew for 90 days what it received under an offer; whoever made it may look back on it as long. */
const offersKeptMilliseconds = 100 * 24 * 3600 * 1000

export interface Credentials {
  routes: (app: TillitServer) => Promise<void>
  /**
   * The port through which other services have credentials issued. The issuer follows from the type: receipts come from the
   * authority, metering point credentials from the point's utility.
   */
  issueCredential: (order: {
    type: CredentialType
    /** By default an SD-JWT VC. */
    format?: CredentialFormat
    holder: { did: string; jwk: PublicJwk }
    claims: Record<string, unknown>
    expires?: Date
  }) => Promise<{ credential: string; id: string }>
  /** How this city verifies credentials at this moment. Throws Problem not-ready without a root. */
  verification: () => ReturnType<typeof verificationOptions>
  /** The port through which the authorization server says in a token what it is for. */
  credentialIdentifiers: (holder: Holder, configurationId: string, offerId?: string) => Promise<string[]>
  /** An organisation as the trust registry has it. Throws Problem not-found. */
  readParty: (did: string) => Promise<Party>
  /** Makes the registrar the root of trust; safe at every start. */
  bootstrapRoot: (root: Root) => Promise<Party>
  start: () => Promise<void>
  stop: () => Promise<void>
}

/** The credentials service: trust registry, issuing, status lists, verifying. */
export function createCredentials({ db, ...ports }: CredentialsPorts): Credentials {
  const context: Context = {
    ...ports,
    statusListSize: ports.statusListSize ?? defaultStatusListSize,
    store: createStore(db),
  }
  let timer: NodeJS.Timeout | undefined
  let upkeep: Promise<unknown> = Promise.resolve()
  return {
    routes: credentialsRoutes(context),
    issueCredential: (order) => issueCredential(context, order),
    credentialIdentifiers: (holder, configurationId, offerId) =>
      credentialIdentifiers(context, holder, { configurationId, offerId }),
    verification: () => verificationOptions(context),
    readParty: (did) => readParty(context, did),
    bootstrapRoot: (root) => bootstrapRoot(context, root),
    start: async () => {
      timer ??= setInterval(() => {
        const tasks = [revokeEndedEntitlements, purgeExpired]
        upkeep = Promise.all(tasks.map((task) => task(context).catch(context.onError)))
      }, upkeepIntervalMilliseconds)
    },
    stop: async () => {
      clearInterval(timer)
      timer = undefined
      await upkeep
    },
  }
}

async function purgeExpired({ store, now }: Context): Promise<void> {
  const at = now()
  await store.purgeNonces(at)
  await store.write((writer) =>
    writer.purgeIssuance({ now: at, offersExpiredBefore: new Date(at.getTime() - offersKeptMilliseconds) }),
  )
}
