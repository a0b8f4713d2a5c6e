import { Point } from '@noble/ed25519'
import { sha512 } from '@noble/hashes/sha2.js'
import { concat, fromBase64url, fromHex, toBase58, toBase64url, toHex, utf8 } from '@tillit/codec'
import { isProblem, type ProblemCode } from '@tillit/problem'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as browser from './backend-browser.ts'
import * as node from './backend-node.ts'
import {
  ed25519PublicKey,
  generatePrivateJwk,
  type PublicKey,
  p256PublicKey,
  parseJws,
  parseMultikey,
  parsePublicJwk,
  signerFromJwk,
  signerFromSeed,
  signJws,
  thumbprint,
  toMultikey,
  toPublicJwk,
  verifyJws,
  verifySignature,
} from './index.ts'
import { mayVerify } from './verify.ts'
import { hasSmallOrder } from './weak-key.ts'

function codeOf(run: () => unknown): ProblemCode | 'accepted' {
  try {
    run()
  } catch (error) {
    if (isProblem(error)) return error.code
    throw error
  }
  return 'accepted'
}

/** What the rule of verify.ts says with each backend; they must agree. */
function verdict(key: PublicKey, message: Uint8Array, signature: Uint8Array): boolean {
  const guarded = mayVerify(key, signature)
  const [here, there] = [node, browser].map(({ verifyRaw }) => guarded && verifyRaw(key, message, signature))
  expect(there).toBe(here)
  expect(verifySignature(key, message, signature)).toBe(here)
  return here === true
}

const rfc8032 = [
  {
    name: '1',
    seed: '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60',
    key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
    message: '',
    signature:
      'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
  },
  {
    name: '2',
    seed: '4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb',
    key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
    message: '72',
    signature:
      '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
  },
  {
    name: '3',
    seed: 'c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7',
    key: 'fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025',
    message: 'af82',
    signature:
      '6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a',
  },
]

describe('Ed25519', () => {
  test.each(rfc8032)('signs and verifies test $name of RFC 8032 section 7.1', async (vector) => {
    const signer = await signerFromSeed(fromHex(vector.seed))
    const message = fromHex(vector.message)
    expect(toHex(signer.publicKey.bytes)).toBe(vector.key)
    expect(toHex(await signer.sign(message))).toBe(vector.signature)
    expect(verdict(signer.publicKey, message, fromHex(vector.signature))).toBe(true)
  })

  test('refuses a signature with any bit flipped, of another length, or with S not reduced', async () => {
    const signer = await signerFromSeed(new Uint8Array(32).fill(7))
    const message = utf8('kilowatt hours')
    const signature = await signer.sign(message)
    fc.assert(
      fc.property(fc.nat(511), (bit) => {
        const forged = signature.slice()
        forged[bit >> 3] = (forged[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        expect(verdict(signer.publicKey, message, forged)).toBe(false)
      }),
      { numRuns: 40 },
    )
    expect(verdict(signer.publicKey, message, signature.slice(0, 63))).toBe(false)
    expect(verdict(signer.publicKey, message, concat(signature.slice(0, 32), plusOrder(signature.slice(32))))).toBe(
      false,
    )
  })

  test('refuses what holds only up to the cofactor, with each backend', () => {
    // R = rB + T with T of order eight: accepted by verifiers that multiply by eight, refused without.
    const torsion = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
    const order = Point.CURVE().n
    const secret = 123456789n
    const nonce = 987654321n
    const key = ed25519PublicKey(Point.BASE.multiply(secret).toBytes())
    const message = utf8('torsion')
    const sign = (r: Uint8Array) => {
      const challenge = littleEndian(sha512(concat(r, key.bytes, message))) % order
      return concat(r, bytesOf((nonce + challenge * secret) % order))
    }
    expect(verdict(key, message, sign(Point.BASE.multiply(nonce).toBytes()))).toBe(true)
    expect(verdict(key, message, sign(Point.BASE.multiply(nonce).add(torsion).toBytes()))).toBe(false)
  })
})

describe('a weak key', () => {
  const smallOrder = [
    '00'.repeat(32),
    `01${'00'.repeat(31)}`,
    '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
    'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
    `ec${'ff'.repeat(30)}7f`,
    `ed${'ff'.repeat(30)}7f`,
    `ee${'ff'.repeat(30)}7f`,
  ].flatMap((hex) => [fromHex(hex), withSignBit(fromHex(hex))])

  test.each(smallOrder.map((bytes) => [toHex(bytes), bytes] as const))('%s is refused', (_hex, bytes) => {
    expect(codeOf(() => ed25519PublicKey(bytes))).toBe('weak-key')
    expect(codeOf(() => parsePublicJwk({ kty: 'OKP', crv: 'Ed25519', x: toBase64url(bytes) }))).toBe('weak-key')
    expect(codeOf(() => parseMultikey(`z${toBase58(concat(Uint8Array.of(0xed, 1), bytes))}`))).toBe('weak-key')
  })

  test('stands for all eight points of small order', () => {
    const generator = Point.fromHex('26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05')
    let point = Point.ZERO
    for (let i = 0; i < 8; i++) {
      expect(hasSmallOrder(point.toBytes())).toBe(true)
      point = point.add(generator)
    }
    expect(point.is0()).toBe(true)
  })

  test('that is not canonical is refused, and one that is no point is not well formed', () => {
    expect(codeOf(() => ed25519PublicKey(fromHex(`f0${'ff'.repeat(30)}7f`)))).toBe('weak-key')
    expect(codeOf(() => ed25519PublicKey(fromHex(`02${'00'.repeat(31)}`)))).toBe('invalid-key')
    expect(codeOf(() => ed25519PublicKey(new Uint8Array(31)))).toBe('invalid-key')
  })
})

describe('P-256', () => {
  // RFC 7515 appendix A.3.
  const jwk = {
    kty: 'EC',
    crv: 'P-256',
    x: 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU',
    y: 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0',
  }
  const token =
    'eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q'
  const message = utf8(token.slice(0, token.lastIndexOf('.')))
  const signature = fromBase64url(token.slice(token.lastIndexOf('.') + 1))

  test('verifies the signature of RFC 7515 appendix A.3', () => {
    const key = parsePublicJwk(jwk)
    expect(verdict(key, message, signature)).toBe(true)
    expect(verdict(key, utf8('another message'), signature)).toBe(false)
    expect(toPublicJwk(parseMultikey(toMultikey(key)))).toEqual(jwk)
  })

  test('refuses r or s that is zero or not reduced, with each backend', () => {
    const key = parsePublicJwk(jwk)
    const order = fromHex('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551')
    for (const part of [new Uint8Array(32), order, new Uint8Array(32).fill(255)]) {
      expect(verdict(key, message, concat(part, signature.slice(32)))).toBe(false)
      expect(verdict(key, message, concat(signature.slice(0, 32), part))).toBe(false)
    }
  })

  test('takes compressed and uncompressed points only, and both backends read the same', () => {
    const x = fromBase64url(jwk.x)
    const y = fromBase64url(jwk.y)
    const parity = (y[31] ?? 0) & 1
    const compressed = concat(Uint8Array.of(2 + parity), x)
    expect(p256PublicKey(concat(Uint8Array.of(4), x, y)).bytes).toEqual(compressed)
    expect(browser.decompressP256(compressed)).toEqual(node.decompressP256(compressed))
    const offCurve = concat(Uint8Array.of(4), x, x)
    expect(codeOf(() => browser.checkP256Point(offCurve))).toBe('invalid-key')
    for (const point of [offCurve, concat(Uint8Array.of(6 + parity), x, y), Uint8Array.of(0), compressed.slice(1)]) {
      expect(codeOf(() => p256PublicKey(point))).toBe('invalid-key')
    }
    const long = `z${toBase58(concat(Uint8Array.of(0x80, 0x24, 4), x, y))}`
    expect(codeOf(() => parseMultikey(long))).toBe('invalid-key')
  })
})

describe('a key', () => {
  test('has the thumbprint of RFC 8037 appendix A.3, the way of RFC 7638', () => {
    const key = parsePublicJwk({ kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' })
    expect(thumbprint(key)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })

  test('of another kind, private or misspelt is refused', () => {
    const x = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'
    expect(codeOf(() => parsePublicJwk({ kty: 'RSA', n: 'AQAB', e: 'AQAB' }))).toBe('unsupported-algorithm')
    expect(codeOf(() => parsePublicJwk({ kty: 'OKP', crv: 'X25519', x }))).toBe('unsupported-algorithm')
    expect(codeOf(() => parsePublicJwk({ kty: 'OKP', crv: 'Ed25519', x, d: x }))).toBe('invalid-key')
    expect(codeOf(() => parsePublicJwk({ kty: 'OKP', crv: 'Ed25519', x: `${x}=` }))).toBe('invalid-key')
    expect(codeOf(() => parsePublicJwk({ kty: 'OKP', crv: 'Ed25519' }))).toBe('invalid-key')
    expect(codeOf(() => parseMultikey('u7QHXWpgBgrEKt9VL_tPJZAc6DuFy89qmIyWvAhpo9wdRGg'))).toBe('invalid-key')
  })
})

describe('a JWS', () => {
  const payload = { sub: 'did:key:z6Mk' }

  test.each(['EdDSA', 'ES256'] as const)('signed with %s verifies under its key and type only', async (alg) => {
    const signer = await signerFromJwk(await generatePrivateJwk(alg))
    const other = await signerFromJwk(await generatePrivateJwk(alg))
    const token = await signJws({ typ: 'dlg+jwt' }, payload, signer)
    expect(verifyJws(token, signer.publicKey, { typ: 'dlg+jwt' }).payload).toEqual(payload)
    expect(codeOf(() => verifyJws(token, signer.publicKey, { typ: 'at+jwt' }))).toBe('invalid-jws')
    expect(codeOf(() => verifyJws(token, other.publicKey, { typ: 'dlg+jwt' }))).toBe('invalid-signature')
  })

  test.each(['none', 'HS256', 'ES256', 'eddsa', 'RS256'])(
    'that claims %s for an Ed25519 key is refused',
    async (alg) => {
      const signer = await signerFromSeed(new Uint8Array(32).fill(9))
      const [, claims, signature] = (await signJws({ typ: 't' }, payload, signer)).split('.')
      const header = toBase64url(utf8(JSON.stringify({ typ: 't', alg })))
      const run = () => verifyJws(`${header}.${claims}.${signature}`, signer.publicKey, { typ: 't' })
      expect(codeOf(run)).toBe('unsupported-algorithm')
    },
  )

  test('whose header is chosen by the attacker cannot override alg', async () => {
    const signer = await signerFromSeed(new Uint8Array(32).fill(9))
    expect(parseJws(await signJws({ typ: 't', alg: 'none' }, payload, signer)).header.alg).toBe('EdDSA')
  })

  test.each([
    ['{"alg":"EdDSA","typ":"t","crit":["x"],"x":1}', '{}'],
    ['{"alg":"EdDSA","typ":"t","b64":false}', '{}'],
    ['{"alg":"EdDSA","alg":"none","typ":"t"}', '{}'],
    ['{"alg":"EdDSA","typ":"t"}', '{"aud":"a","aud":"b"}'],
    ['{"alg":"EdDSA","typ":"t"}', '[]'],
    ['{"alg":"EdDSA","typ":"t"}', 'text'],
  ])('with the header %s and the payload %s is not well formed', (header, claims) => {
    const token = `${toBase64url(utf8(header))}.${toBase64url(utf8(claims))}.${toBase64url(new Uint8Array(64))}`
    expect(codeOf(() => parseJws(token))).toBe('invalid-jws')
  })

  test.each(['', 'a.b', 'a..b', 'e30.e30.', 'e30.e30.AA.AA', 'e30=.e30.AA'])('%j is not well formed', (token) => {
    expect(codeOf(() => parseJws(token))).toBe('invalid-jws')
  })
})

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((number, byte) => (number << 8n) | BigInt(byte), 0n)
}

function bytesOf(number: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, index) => Number((number >> BigInt(8 * index)) & 255n))
}

function plusOrder(scalar: Uint8Array): Uint8Array {
  return bytesOf(littleEndian(scalar) + Point.CURVE().n)
}

function withSignBit(bytes: Uint8Array): Uint8Array {
  bytes[31] = (bytes[31] ?? 0) | 0x80
  return bytes
}

test('a key does not change with the bytes it was parsed from', async () => {
  const { publicKey } = await signerFromSeed(new Uint8Array(32).fill(77))
  const bytes = publicKey.bytes.slice()
  const key = ed25519PublicKey(bytes)
  bytes.fill(0)
  expect(key.bytes).toEqual(publicKey.bytes)
  expect(ed25519PublicKey(publicKey.bytes).bytes).toEqual(publicKey.bytes)
})
