import { type Static, Type } from 'typebox'

const closed = { additionalProperties: false } as const

export const Tier = Type.Enum(['T0', 'T1', 'T2', 'T3', 'T4', 'T5'])
export type Tier = Static<typeof Tier>

/** One purpose of the catalogue: how fine, how long and on which legal bases its data may be asked for. */
export const Purpose = Type.Object(
  {
    code: Type.String({ pattern: '^[a-z][a-z0-9-]{1,63}$' }),
    parent: Type.Union([Type.Null(), Type.String()]),
    finest_tier: Tier,
    longest_life: Type.Union([Type.Null(), Type.String()], {
      description: 'ISO 8601 duration; null: as long as the contract',
    }),
    delete_after: Type.String({ description: 'ISO 8601 duration' }),
    legal_bases: Type.Array(Type.String({ pattern: '^eu-gdpr:A6-1-[a-f]$' }), { minItems: 1 }),
    subject_form: Type.Enum(['identified', 'pseudonymous', 'aggregate'], {
      description: 'Least protective form allowed',
    }),
    title: Type.Object({ en: Type.String(), nb: Type.String(), da: Type.String() }, closed),
    description: Type.Object({ en: Type.String(), nb: Type.String(), da: Type.String() }, closed),
  },
  { $id: 'Purpose', ...closed },
)
export type Purpose = Static<typeof Purpose>

export const PurposeCatalogue = Type.Object(
  { version: Type.Integer(), purposes: Type.Array(Purpose, { minItems: 1 }) },
  closed,
)
export type PurposeCatalogue = Static<typeof PurposeCatalogue>
