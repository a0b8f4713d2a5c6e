import { type Static, type TSchema, Type } from 'typebox'
import { Base64url, Instant, Sha256Hex } from './atoms.ts'

const closed = { additionalProperties: false } as const

export const LogEntryKind = Type.Enum([
  'did',
  'credential-status',
  'key-compromise',
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

const SelfWitnessed = Type.Boolean({
  description: 'The quorum of the policy can be met by witnesses of the operator of the log alone, or asks for none',
})

/** Proof that the log holds a leaf: tlog-proof@v1 text against a checkpoint, and the anchor of that checkpoint if there is one. */
export const LeafProof = Type.Object(
  {
    commitment: Sha256Hex,
    entry: Type.Optional(
      Type.String({
        pattern: '^([0-9a-f]{64}|[0-9a-f]{96})$',
        description:
          'What the log holds: the commitment, and its salt where that is public. Absent: the commitment alone',
      }),
    ),
    index: Type.Integer({ minimum: 0 }),
    proof: Type.String({ description: 'c2sp.org/tlog-proof@v1' }),
    anchor: Type.Union([Type.Null(), AnchorEvidence]),
    log: Type.Object(
      {
        origin: Type.String(),
        vkey: Type.String({ description: 'Signed-note verifier key' }),
        self_witnessed: Type.Boolean({
          description: 'What the log says of itself: its own operator can meet the quorum of witnesses',
        }),
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

/** What opens the entries that anyone may open, in the order of the log. */
export const OpeningList = Type.Object(
  {
    openings: Type.Array(
      Type.Object({ index: Type.Integer({ minimum: 0 }), ...Opening.properties }, { additionalProperties: false }),
    ),
    next_from: Type.Union([Type.Null(), Type.Integer()], {
      description: 'from of the next page; null when there is none in the published log yet',
    }),
  },
  { $id: 'OpeningList', ...closed },
)
export type OpeningList = Static<typeof OpeningList>

export const ConsistencyProof = Type.Object(
  {
    from: Type.Integer({ minimum: 0 }),
    to: Type.Integer({ minimum: 0 }),
    hashes: Type.Array(Sha256Hex, { description: 'RFC 9162 section 2.1.4' }),
  },
  { $id: 'ConsistencyProof', ...closed },
)
export type ConsistencyProof = Static<typeof ConsistencyProof>

export const AnchorList = Type.Object(
  {
    anchors: Type.Array(AnchorEvidence),
    next_min_size: Type.Union([Type.Null(), Type.Integer()], { description: 'min_size of the next page' }),
  },
  { $id: 'AnchorList', ...closed },
)
export type AnchorList = Static<typeof AnchorList>

/** Published checkpoints, by size. */
export const CheckpointList = Type.Object(
  {
    checkpoints: Type.Array(
      Type.Object(
        {
          size: Type.Integer({ minimum: 0 }),
          note: Type.String({ description: 'C2SP tlog-checkpoint with its cosignatures, as it was published' }),
        },
        { additionalProperties: false },
      ),
    ),
    next_min_size: Type.Union([Type.Null(), Type.Integer()], { description: 'min_size of the next page' }),
  },
  { $id: 'CheckpointList', ...closed },
)
export type CheckpointList = Static<typeof CheckpointList>

/** The witnesses of the log's policy, and what each did last. */
export const WitnessList = Type.Object(
  {
    quorum: Type.String({ description: 'Name of the witness or group that has to cosign, or none' }),
    self_witnessed: SelfWitnessed,
    fault: Type.Union([Type.Null(), Type.String()], { description: 'Why nothing new is being published' }),
    witnesses: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: 'As the policy calls it' }),
          vkey: Type.String({ description: 'Verifier key of its cosignatures (C2SP tlog-cosignature)' }),
          own: Type.Boolean({ description: 'Run by the operator of the log' }),
          cosigned_size: Type.Union([Type.Null(), Type.Integer()], { description: 'Entries it cosigned last' }),
          cosigned_at: Type.Union([Type.Null(), Instant]),
          fault: Type.Union([Type.Null(), Type.String()], {
            description: 'Why it did not cosign when it was asked last',
          }),
        },
        closed,
      ),
    ),
  },
  { $id: 'WitnessList', ...closed },
)
export type WitnessList = Static<typeof WitnessList>

const orNull = <T extends TSchema>(schema: T, description?: string) =>
  Type.Union([Type.Null(), schema], description === undefined ? {} : { description })
const Wei = Type.String({ pattern: '^[0-9]+$', description: 'Smallest unit of the coin, 10^-18' })

/** Which ledger anchors the log, how far, and what stands in the way. */
export const LedgerStatus = Type.Object(
  {
    kind: Type.Enum(['evm', 'none']),
    chain_id: orNull(Type.Integer()),
    chain_name: orNull(Type.String()),
    coin: orNull(Type.String(), 'Symbol of the coin that pays'),
    contract: orNull(Type.String()),
    anchorer: orNull(Type.String(), 'Address of the account that anchors'),
    confirmations: orNull(Type.Integer(), 'Blocks that an anchor waits for before it counts'),
    max_fee_wei: orNull(Wei, 'The most that one anchor may cost; null: any price'),
    rpc_url: orNull(Type.String()),
    last_anchor: orNull(AnchorEvidence),
    last_anchor_cost: orNull(Type.Object({ gas_used: Type.Integer(), fee_wei: Wei }, closed)),
    last_anchor_url: orNull(Type.String(), 'Where a person can look at the transaction'),
    latest_checkpoint: orNull(
      Type.Object({ size: Type.Integer(), root: Sha256Hex, signed_at: Instant, published_at: Instant }, closed),
      'The newest published checkpoint',
    ),
    signed_size: Type.Integer({ description: 'Entries under the newest signed checkpoint, published or not' }),
    unanchored: orNull(
      Type.Object({ entries: Type.Integer(), since: Instant }, closed),
      'Published entries that the ledger does not hold yet, and since when the oldest checkpoint of them waits',
    ),
    fault: orNull(Type.String(), 'Why the log is not being anchored'),
    publishing_fault: orNull(Type.String(), 'Why nothing new is being published'),
    self_witnessed: SelfWitnessed,
    log_vkeys: Type.Array(Type.String(), {
      description: 'Verifier keys of the log: the active one, then those that give way to it and still sign',
    }),
  },
  { $id: 'LedgerStatus', ...closed },
)
export type LedgerStatus = Static<typeof LedgerStatus>
