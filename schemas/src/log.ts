import { type Static, Type } from 'typebox'
import { Base64url, Instant, Sha256Hex } from './atoms.ts'

const closed = { additionalProperties: false } as const

export const LogEntryKind = Type.Enum([
  'did',
  'credential-status',
  'permission-event',
  'access-record',
  'reading-batch',
])
export type LogEntryKind = Static<typeof LogEntryKind>

/** Evidence that the ledger holds a checkpoint of the log. */
export const AnchorEvidence = Type.Object(
  {
    chain_id: Type.Integer(),
    contract: Type.String({ pattern: '^0x[0-9a-fA-F]{40}$' }),
    transaction: Type.String({ pattern: '^0x[0-9a-f]{64}$' }),
    block_number: Type.Integer(),
    size: Type.Integer(),
    root: Sha256Hex,
    anchored_at: Instant,
  },
  { $id: 'AnchorEvidence', ...closed },
)
export type AnchorEvidence = Static<typeof AnchorEvidence>

/** Proof that the log holds a leaf: tlog-proof@v1 text against a checkpoint, and the anchor of that checkpoint if there is one. */
export const LeafProof = Type.Object(
  {
    commitment: Sha256Hex,
    index: Type.Integer({ minimum: 0 }),
    proof: Type.String({ description: 'c2sp.org/tlog-proof@v1' }),
    anchor: Type.Union([Type.Null(), AnchorEvidence]),
    log: Type.Object(
      {
        origin: Type.String(),
        vkey: Type.String({ description: 'Signed-note verifier key' }),
        self_witnessed: Type.Boolean(),
      },
      closed,
    ),
  },
  { $id: 'LeafProof', ...closed },
)
export type LeafProof = Static<typeof LeafProof>

/** What opens a commitment: HMAC-SHA256(salt, RFC 8785 form of the entry) is the leaf. */
export const Opening = Type.Object(
  {
    kind: LogEntryKind,
    entry: Type.Record(Type.String(), Type.Unknown()),
    salt: Base64url,
    commitment: Sha256Hex,
  },
  { $id: 'Opening', ...closed },
)
export type Opening = Static<typeof Opening>

/** A receipt: the opening, and the proof once the log holds it. Verifies with no network up to the ledger itself. */
export const Receipt = Type.Object(
  {
    type: Type.Literal('tillit-receipt/v1'),
    city: Type.String({ format: 'uri' }),
    opening: Opening,
    leaf: Type.Union([Type.Null(), LeafProof]),
  },
  { $id: 'Receipt', ...closed },
)
export type Receipt = Static<typeof Receipt>
