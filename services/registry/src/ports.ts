import type { Database } from '@tillit/database'
import type { FetchText } from '@tillit/did'
import type { ForeignHosts } from '@tillit/http'
import type { Signer } from '@tillit/keys'
import type { Ledger } from '@tillit/ledger'
import type { TrustPolicy } from '@tillit/log'
import type { WitnessPeer } from '@tillit/witness'
import type { RegistryTables } from './tables.ts'

/** All that the registry needs of the world; standalone hands it in. */
export interface RegistryPorts {
  readonly database: Database<RegistryTables>
  now(): Date
  randomBytes(length: number): Uint8Array
  /** Host of the DIDs that may be registered here: `example.com`, or with a port `localhost:8080`. */
  readonly didHost: string
  /** Gets did.json and did.jsonl of foreign hosts; null: they are never asked. */
  readonly fetchText: FetchText | null
  /** Gets resources of watched DIDs from the same hosts; without it none are kept here. */
  readonly fetchBytes?: ForeignHosts['fetchBytes']
  /** Origin of the log and name of its key: a URL without its scheme, such as `example.com/log`. */
  readonly logOrigin: string
  /** Ed25519, the active one first; while one key gives way to another, each checkpoint is signed with both. */
  readonly logSigners: readonly Signer[]
  /**
   * Under which policy the log publishes, the way to each of its witnesses by the witness's name, and which of them belong
   * to the operator of the log. The keys of the log itself need not stand in the policy.
   */
  readonly witnessing: {
    readonly policy: TrustPolicy
    readonly peers: ReadonlyMap<string, WitnessPeer>
    readonly own: ReadonlySet<string>
  }
  /** Ed25519; signs, as a did:webvh witness, the versions whose entries are in the published log. */
  readonly didWitnessSigner: Signer
  /**
   * Opens the ledger; called again until it succeeds. An object with the reason, told to whoever asks, when this city has
   * no ledger and its log runs unanchored.
   */
  readonly ledger: ((signal: AbortSignal) => Promise<Ledger>) | { readonly absent: string }
  /** The ledger is the embedded chain of a development city, which may hold more than a log that began anew. */
  readonly ledgerEmbedded?: boolean
  /** Where outsiders may read the ledger; null when its URL is not for them. */
  readonly publicRpcUrl: string | null
  readonly anchorIntervalSeconds: number
  /** LISTEN on the outbox channel; without it the outboxes are polled only. */
  readonly listenOutbox?: (onNotify: () => void) => Promise<{ close(): Promise<void> }>
  readonly logger: Logger
}

export interface Logger {
  info(details: object, message: string): void
  warn(details: object, message: string): void
  error(details: object, message: string): void
}
