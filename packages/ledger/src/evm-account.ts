import type { Secp256k1Signer } from '@tillit/keys'
import { Problem } from '@tillit/problem'
import {
  type Address,
  bytesToHex,
  type Hex,
  hexToBytes,
  isAddressEqual,
  keccak256,
  recoverAddress,
  serializeTransaction,
  type TransactionSerializableLegacy,
} from 'viem'
import { publicKeyToAddress } from 'viem/accounts'

/** Address of the account whose key this is. */
export function accountAddress(signer: Secp256k1Signer): Address {
  return publicKeyToAddress(bytesToHex(signer.publicKey))
}

/** What a transaction of ours says; it is bound to its chain by EIP-155. */
export interface UnsignedTransaction {
  readonly chainId: number
  readonly nonce: number
  readonly gasPrice: bigint
  readonly gas: bigint
  /** Absent: the transaction deploys a contract. */
  readonly to?: Address
  readonly data: Hex
}

/**
 * Signs a legacy transaction, the form that every EVM chain takes. The digest is made here from the transaction, so the
 * key signs nothing that others made. A signer that gives a signature of another account is refused before the node sees it.
 */
export async function signTransaction(signer: Secp256k1Signer, transaction: UnsignedTransaction): Promise<Hex> {
  const unsigned: TransactionSerializableLegacy = { ...transaction, type: 'legacy' }
  const hash = keccak256(serializeTransaction(unsigned))
  const signature = await signer.signDigest(hexToBytes(hash))
  const [r, s] = [bytesToHex(signature.subarray(0, 32)), bytesToHex(signature.subarray(32, 64))]
  const v = signature[64] === 1 ? 28n : 27n
  if (!isAddressEqual(await recoverAddress({ hash, signature: { r, s, v } }), accountAddress(signer)))
    throw new Problem('invalid-configuration', { detail: 'The anchor key signs for another account than its own' })
  return serializeTransaction(unsigned, { r, s, v })
}
