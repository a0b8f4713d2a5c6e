import { X509Certificate } from 'node:crypto'
import { toPublicJwk } from '@tillit/keys'
import { describe, expect, test } from 'vitest'
import { keyOfCertificateChain } from '../src/openid4vci/certificate-chain.ts'
import { certificates } from './certificates.ts'

type Name = keyof typeof certificates

const now = new Date('2026-06-01T12:00:00Z')

const keyOf = (chain: readonly Name[], anchors: readonly Name[] = ['root']) =>
  keyOfCertificateChain(
    chain.map((name) => certificates[name]),
    { anchors: anchors.map((name) => certificateOf(name).toString()), now },
  )

function certificateOf(name: Name): X509Certificate {
  return new X509Certificate(Buffer.from(certificates[name], 'base64'))
}

describe('a certificate chain', () => {
  test.each<[Name[], Name]>([
    [['leaf', 'intermediate'], 'root'],
    [['leaf', 'intermediate', 'root'], 'root'],
    [['leaf'], 'intermediate'],
    [['leaf'], 'leaf'],
  ])('of %j gives the key of its first certificate where %s is trusted', (chain, anchor) => {
    expect(toPublicJwk(keyOf(chain, [anchor]))).toEqual(certificateOf('leaf').publicKey.export({ format: 'jwk' }))
  })

  test.each<[string, Name[], Name?]>([
    ['that ends before the anchor', ['leaf']],
    ['that is empty', []],
    ['in the wrong order', ['intermediate', 'leaf']],
    ['to another root', ['shortRootLeaf']],
    ['to another root of the same name', ['otherLeaf', 'otherRoot']],
    ['to another root of the same name, which it leaves out', ['otherLeaf']],
    ['through a certificate that may not issue others', ['underLeaf', 'leaf', 'intermediate']],
    ['to an anchor that may not issue others', ['underLeaf'], 'leaf'],
    ['with a certificate that has expired', ['expiredLeaf', 'intermediate']],
    ['with a certificate that is not valid yet', ['futureLeaf', 'intermediate']],
    ['to an anchor that has expired', ['shortRootLeaf'], 'shortRoot'],
    ['of too many certificates', ['leaf', 'intermediate', 'root', 'root', 'root', 'root']],
  ])('%s is refused', (_, chain, anchor = 'root') => {
    expect(() => keyOf(chain, [anchor])).toThrow(expect.objectContaining({ code: 'invalid-proof' }))
  })

  test('with a key on another curve is refused', () => {
    expect(() => keyOf(['p384Leaf', 'intermediate'])).toThrow(
      expect.objectContaining({ code: 'unsupported-algorithm' }),
    )
  })

  test.each([[undefined], ['MII'], [[1]], [['AAAA']]])('that is %j is refused', (x5c) => {
    expect(() => keyOfCertificateChain(x5c, { anchors: [certificateOf('root').toString()], now })).toThrow(
      expect.objectContaining({ code: 'invalid-proof' }),
    )
  })
})
