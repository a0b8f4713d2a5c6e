import type { TillitServer } from '@tillit/http'
import type { CredentialType, Party, PublicJwk } from '@tillit/schemas'
import { bootstrapRoot, type Root } from './accredit-organisation.ts'
import { issueCredential } from './issue-credential.ts'
import { credentialsRoutes } from './plugin.ts'
import type { Context, CredentialsPorts } from './ports.ts'
import { createStore } from './store.ts'

/** Two bits each make 32 KiB: enough for a credential to hide among others. */
const defaultStatusListSize = 131_072

const purgeIntervalMilliseconds = 60_000

export interface Credentials {
  routes: (app: TillitServer) => Promise<void>
  /**
   * The port through which other services have credentials issued. The issuer follows from the type: receipts come from the
   * authority, metering point credentials from the point's utility.
   */
  issueCredential: (order: {
    type: CredentialType
    holder: { did: string; jwk: PublicJwk }
    claims: Record<string, unknown>
    expires?: Date
  }) => Promise<{ credential: string; id: string }>
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
  let purge: Promise<void> = Promise.resolve()
  return {
    routes: credentialsRoutes(context),
    issueCredential: (order) => issueCredential(context, order),
    bootstrapRoot: (root) => bootstrapRoot(context, root),
    start: async () => {
      timer ??= setInterval(() => {
        purge = context.store.purgeNonces(context.now()).catch(context.onError)
      }, purgeIntervalMilliseconds)
    },
    stop: async () => {
      clearInterval(timer)
      timer = undefined
      await purge
    },
  }
}
