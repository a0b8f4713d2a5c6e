import { type Static, Type } from 'typebox'
import { Base64url, Did } from './atoms.ts'
import { ProblemDocument } from './problem.ts'

const closed = { additionalProperties: false } as const

/** One line of a did:webvh v1.0 log. */
export const DidLogEntry = Type.Object(
  {
    versionId: Type.String({ maxLength: 128 }),
    versionTime: Type.String({ maxLength: 40 }),
    parameters: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown()),
    state: Type.Record(Type.String({ maxLength: 256 }), Type.Unknown()),
    proof: Type.Array(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown()), { minItems: 1, maxItems: 4 }),
  },
  { $id: 'DidLogEntry', ...closed },
)
export type DidLogEntry = Static<typeof DidLogEntry>

/** A genesis entry to register. Listed DIDs (organisations, infrastructure) have a public salt, unlisted ones never. */
export const DidRegistration = Type.Object(
  { entry: DidLogEntry, listed: Type.Boolean() },
  { $id: 'DidRegistration', ...closed },
)
export type DidRegistration = Static<typeof DidRegistration>

/** What became of an accepted entry: its commitment is the leaf of the log; the salt opens it. */
export const DidAccepted = Type.Object(
  {
    did: Did,
    versionId: Type.String(),
    listed: Type.Boolean(),
    deactivated: Type.Boolean(),
    opening: Type.Object({ kind: Type.Literal('did'), salt: Base64url, commitment: Type.String() }, closed),
  },
  { $id: 'DidAccepted', ...closed },
)
export type DidAccepted = Static<typeof DidAccepted>

/** Many genesis entries at once, each of which is accepted or refused for itself. */
export const DidRegistrations = Type.Object(
  { registrations: Type.Array(DidRegistration, { minItems: 1, maxItems: 500 }) },
  { $id: 'DidRegistrations', ...closed },
)
export type DidRegistrations = Static<typeof DidRegistrations>

/** What became of each, in the order in which they were sent: as one request each would have been answered. */
export const DidRegistrationResults = Type.Object(
  {
    results: Type.Array(
      Type.Object(
        {
          status: Type.Integer({ description: 'HTTP status' }),
          accepted: Type.Optional(DidAccepted),
          problem: Type.Optional(ProblemDocument),
        },
        closed,
      ),
    ),
  },
  { $id: 'DidRegistrationResults', ...closed },
)
export type DidRegistrationResults = Static<typeof DidRegistrationResults>

/** Approvals of one version by witnesses: an item of a did:webvh v1.0 `did-witness.json`. */
export const DidWitnessProofs = Type.Object(
  {
    versionId: Type.String({ maxLength: 128 }),
    proof: Type.Array(Type.Record(Type.String({ maxLength: 64 }), Type.Unknown()), { minItems: 1, maxItems: 64 }),
  },
  { $id: 'DidWitnessProofs', ...closed },
)
export type DidWitnessProofs = Static<typeof DidWitnessProofs>

/**
 * A whole log to register: that of a portable DID which moves here with its history. The last entry has the DID that it is
 * to have here.
 */
export const DidLogRegistration = Type.Object(
  {
    log: Type.Array(DidLogEntry, { minItems: 1, maxItems: 200 }),
    listed: Type.Boolean(),
    witness_proofs: Type.Optional(
      Type.Array(DidWitnessProofs, { maxItems: 64, description: 'The did-witness.json of the DID' }),
    ),
  },
  { $id: 'DidLogRegistration', ...closed },
)
export type DidLogRegistration = Static<typeof DidLogRegistration>

/** How far the versions of a DID are sufficiently witnessed, and therefore published. */
export const DidWitnessing = Type.Object(
  {
    did: Did,
    published_version_id: Type.Union([Type.Null(), Type.String()]),
    waiting_versions: Type.Integer({ minimum: 0, description: 'Accepted versions that wait for their witnesses' }),
  },
  { $id: 'DidWitnessing', ...closed },
)
export type DidWitnessing = Static<typeof DidWitnessing>

/** A controller's request to a watcher: an empty presentation with a proof by an update key of the DID (did:webvh v1.0). */
export const DidWatcherRequest = Type.Object(
  {
    '@context': Type.Optional(Type.Array(Type.String({ maxLength: 256 }), { maxItems: 8 })),
    id: Type.Optional(Type.String({ maxLength: 256 })),
    type: Type.Union([Type.String({ maxLength: 128 }), Type.Array(Type.String({ maxLength: 128 }), { maxItems: 8 })]),
    holder: Type.Optional(Type.String({ maxLength: 1024 })),
    proof: Type.Record(Type.String({ maxLength: 64 }), Type.Unknown(), {
      description: 'DataIntegrityProof for authentication: the SCID as challenge, the URL of the watcher as domain',
    }),
  },
  { $id: 'DidWatcherRequest', ...closed },
)
export type DidWatcherRequest = Static<typeof DidWatcherRequest>

/** What a watcher knows of a DID: whether its host still shows the history that was seen first. */
export const WatchedDidState = Type.Object(
  {
    did: Did,
    version_id: Type.String({ description: 'Of the newest version that is kept' }),
    checked_at: Type.String({ format: 'date-time' }),
    fault: Type.Union([Type.Null(), Type.String()], {
      description: 'What the host shows instead; null when it agrees',
    }),
    other_log: Type.Union([Type.Null(), Type.String()], {
      description: 'Another verified did.jsonl that the host has shown: evidence of two histories',
    }),
  },
  { $id: 'WatchedDidState', ...closed },
)
export type WatchedDidState = Static<typeof WatchedDidState>

/** What became of a whole log: of each entry, in order, and how far the versions are published. */
export const DidLogAccepted = Type.Object(
  { accepted: Type.Array(DidAccepted), witnessing: DidWitnessing },
  { $id: 'DidLogAccepted', ...closed },
)
export type DidLogAccepted = Static<typeof DidLogAccepted>

/** The listed DIDs that live here, in the order of their bytes. */
export const ListedDids = Type.Object(
  {
    dids: Type.Array(Type.Object({ did: Did, version_id: Type.String() }, closed)),
    next_after: Type.Union([Type.Null(), Did]),
  },
  { $id: 'ListedDids', ...closed },
)
export type ListedDids = Static<typeof ListedDids>

/** DID Resolution result (W3C DID Resolution, HTTP binding). */
export const DidResolutionResult = Type.Object(
  {
    '@context': Type.Optional(Type.String()),
    didDocument: Type.Union([Type.Null(), Type.Record(Type.String(), Type.Unknown())]),
    didResolutionMetadata: Type.Record(Type.String(), Type.Unknown()),
    didDocumentMetadata: Type.Record(Type.String(), Type.Unknown()),
  },
  { $id: 'DidResolutionResult', ...closed },
)
export type DidResolutionResult = Static<typeof DidResolutionResult>
