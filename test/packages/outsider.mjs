// What somebody outside of this project writes against the installed client. Prints what it found, for a test to compare.
import {
  createKeyBinding,
  didKeyFor,
  generatePrivateJwk,
  isProblem,
  parsePublicJwk,
  signerFromJwk,
  verifyDelegationChain,
  verifyReceipt,
} from '@tillit/client'
import { delegation, receipt } from './evidence.mjs'

function codeOf(work) {
  try {
    work()
    return 'nothing is wrong'
  } catch (error) {
    return isProblem(error) ? error.code : String(error)
  }
}

const { index, size } = verifyReceipt(receipt, { vkey: receipt.leaf.log.vkey })
const options = { rootKey: parsePublicJwk(delegation.rootJwk), now: new Date(delegation.now) }
const { delegatee, effectiveScope } = verifyDelegationChain(delegation.chain, options)
const signer = await signerFromJwk(await generatePrivateJwk())
const statement = await createKeyBinding('cust_1', { signer, now: options.now, authority: 'did:web:city.example' })
const found = {
  ...{ index, size, delegatee, granularity: effectiveScope.finest_granularity },
  otherLog: codeOf(() => verifyReceipt(receipt, { vkey: receipt.leaf.log.vkey.replace('city', 'town') })),
  cutChain: codeOf(() => verifyDelegationChain(delegation.chain.slice(1), options)),
  signs: statement.split('.').length === 3 && didKeyFor(signer.publicKey).startsWith('did:key:z'),
}
console.log(JSON.stringify(found))
