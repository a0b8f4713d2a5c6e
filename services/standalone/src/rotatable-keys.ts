import { updateKeyOf } from './identities.ts'

/** What the operator of a city may rotate, and what that means. */
export interface RotatableKey {
  readonly name: string
  /** The city's identity whose DID names the key; null for the other keys. */
  readonly identity: string | null
  /** Some library needs the key itself, so it is never made in a token. */
  readonly exportable: boolean
  readonly overlapSeconds: number
  readonly leastOverlapSeconds: number
  /** What follows, in words for the operator. */
  readonly effect: string
}

const hourSeconds = 3600
const daySeconds = 24 * hourSeconds
/** Credentials live a year, and verify as long as the key that signed them stands in the DID document. */
const identityOverlapSeconds = 400 * daySeconds

/** The account that anchors on an outside ledger. */
export const accountKey = 'anchor'
/** The longest that there is: the account of before hands the role on when the new one can pay, whenever that will be. */
const accountOverlapSeconds = 10 * 366 * daySeconds

const ownIdentities = ['registrar', 'authority', 'utility']

export const rotatableKeys: readonly RotatableKey[] = [
  {
    name: 'log',
    identity: null,
    exportable: false,
    overlapSeconds: 30 * daySeconds,
    leastOverlapSeconds: 0,
    effect:
      'Checkpoints are signed by both keys until the overlap ends. Tell those who follow the log, and its witnesses, the new verifier key (/authority) before then.',
  },
  {
    name: 'tokens',
    identity: null,
    exportable: true,
    overlapSeconds: hourSeconds,
    leastOverlapSeconds: 0,
    effect: 'Tokens are signed by the new key; those of the old one, which live 300 s, verify until the overlap ends.',
  },
  {
    name: 'portal',
    identity: null,
    exportable: false,
    overlapSeconds: hourSeconds,
    leastOverlapSeconds: 0,
    effect: 'The portal signs in to the authorization server with the new key.',
  },
  {
    name: accountKey,
    identity: null,
    exportable: false,
    overlapSeconds: accountOverlapSeconds,
    leastOverlapSeconds: accountOverlapSeconds,
    effect:
      'As soon as the new account can pay for an anchor, the one before hands the role in the contract to it; until then that one goes on.',
  },
  ...ownIdentities.map((identity) => ({
    name: identity,
    identity,
    exportable: false,
    overlapSeconds: identityOverlapSeconds,
    leastOverlapSeconds: 0,
    effect: `An entry of the DID of the ${identity} puts the new key in. What the old key signed verifies until the overlap ends; the first start after that takes it out.`,
  })),
  ...ownIdentities.map((identity) => ({
    name: updateKeyOf(identity),
    identity,
    exportable: false,
    overlapSeconds: daySeconds,
    // The old key signs the entry that names the new one.
    leastOverlapSeconds: hourSeconds,
    effect: `An entry of the DID of the ${identity}, signed by the old key, hands the right to update it to the new one.`,
  })),
]

/** Why other keys are not rotated by this command, in words for the operator. */
export const notRotatable: Readonly<Record<string, string>> = {
  'did-witness': "it is named in the histories of other people's DIDs, which only their controllers can change",
  witness: 'others have it in their policies; run a new witness beside it and change the policy',
  'witness-ml-dsa': 'others have it in their policies; run a new witness beside it and change the policy',
}
