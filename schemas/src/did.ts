import { type Static, Type } from 'typebox'
import { Base64url, Did } from './atoms.ts'

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
