import { isProblem, type ProblemCode } from '@tillit/problem'
import canonicalize from 'canonicalize'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import * as browser from './digest-browser.ts'
import * as node from './digest-node.ts'
import {
  canonicalJson,
  concat,
  encodeId,
  equalBytes,
  fromBase58,
  fromBase64,
  fromBase64url,
  fromHex,
  fromUtf8,
  parseJson,
  toBase58,
  toBase64,
  toBase64url,
  toHex,
  utf8,
} from './index.ts'

function codeOf(run: () => unknown): ProblemCode | 'accepted' {
  try {
    run()
  } catch (error) {
    if (isProblem(error)) return error.code
    throw error
  }
  return 'accepted'
}

describe('canonical JSON (RFC 8785)', () => {
  test('writes the example of section 3.2.2', () => {
    const input = `{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],
      "string":"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}`
    expect(canonicalJson(parseJson(input))).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    )
  })

  test('sorts members by UTF-16 code units as in section 3.2.3', () => {
    const input =
      '{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",' +
      '"\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}'
    expect(Object.values(JSON.parse(canonicalJson(parseJson(input))))[0]).toBe('One')
    expect([...canonicalJson(parseJson(input)).matchAll(/":"(\w+)/g)].map(([, word]) => word)).toEqual([
      'Carriage',
      'One',
      'Control',
      'Latin',
      'Euro',
      'Emoji',
      'Hebrew',
    ])
  })

  test.each([
    ['0000000000000000', '0'],
    ['8000000000000000', '0'],
    ['0000000000000001', '5e-324'],
    ['7fefffffffffffff', '1.7976931348623157e+308'],
    ['4340000000000000', '9007199254740992'],
    ['4430000000000000', '295147905179352830000'],
    ['44b52d02c7e14af5', '9.999999999999997e+22'],
    ['444b1ae4d6e2ef4f', '999999999999999900000'],
    ['3eb0c6f7a0b5ed8d', '0.000001'],
    ['41b3de4355555557', '333333333.33333343'],
  ])('writes the number %s of appendix B as %s', (bits, text) => {
    expect(canonicalJson(new DataView(fromHex(bits).buffer as ArrayBuffer).getFloat64(0))).toBe(text)
  })

  test('does not depend on the order of members', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        const text = (members: [string, unknown][]) => canonicalJson(Object.fromEntries(members))
        expect(text(Object.entries(value).reverse())).toBe(text(Object.entries(value)))
      }),
    )
  })

  test('has no form for a lone surrogate or a number that is not finite', () => {
    expect(codeOf(() => canonicalJson(['\ud800']))).toBe('invalid-json')
    expect(codeOf(() => canonicalJson([Number.POSITIVE_INFINITY]))).toBe('invalid-json')
    expect(codeOf(() => canonicalJson({ '\udc00': 1 }))).toBe('invalid-json')
    expect(codeOf(() => canonicalJson([1n]))).toBe('invalid-json')
  })

  test('has no form for what is in itself', () => {
    const ring: unknown[] = []
    ring.push({ ring })
    expect(codeOf(() => canonicalJson(ring))).toBe('invalid-json')
  })

  test('is that of the canonicalize package for every value', () => {
    const anything = fc.anything({
      withNullPrototype: true,
      withSparseArray: true,
      withDate: true,
      values: [fc.string({ unit: 'binary' }), fc.string(), fc.double(), fc.boolean(), fc.constant(undefined)],
      maxKeys: 24,
    })
    fc.assert(
      fc.property(anything, (value) => {
        expect(formOf(() => canonicalJson(value))).toBe(formOf(() => canonicalize(value)))
      }),
      { numRuns: 300 },
    )
  })

  test('is that of the canonicalize package for every text and every number', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
        (text) => {
          expect(formOf(() => canonicalJson(text))).toBe(formOf(() => canonicalize(text)))
        },
      ),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.double(), (number) => formOf(() => canonicalJson(number)) === formOf(() => canonicalize(number))),
    )
  })
})

/** undefined where there is none. */
function formOf(write: () => string | undefined): string | undefined {
  try {
    return write()
  } catch {
    return undefined
  }
}

describe('JSON from outside', () => {
  test.each([
    '{"a":1,"a":2}',
    '{"a":1,"\\u0061":2}',
    '{"x":{"a":1,"b":[{"a":1,"a":2}]}}',
    '{"__proto__":{}}',
    '{"\\u005f_proto__":{}}',
    '["\\ud800"]',
    '{"\\udc00":1}',
    '[1e999]',
    `${'['.repeat(65)}${']'.repeat(65)}`,
    '{',
    '',
    '[1,]',
    '\ufeff{}',
  ])('refuses %s', (text) => {
    expect(codeOf(() => parseJson(text))).toBe('invalid-json')
  })

  test('reads whatever JSON.stringify writes, and nothing else becomes of it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value)
        fc.pre(!text.includes('"__proto__"') && !/\\ud[89a-f]/.test(text))
        expect(parseJson(text)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('refuses a member that stands twice wherever it stands, however it is written', () => {
    const names = fc.string({ minLength: 1, maxLength: 4 }).filter((name) => name !== '__proto__')
    fc.assert(
      fc.property(
        fc.jsonValue({ maxDepth: 3 }),
        fc.jsonValue({ maxDepth: 3 }),
        names,
        fc.boolean(),
        (a, b, name, escaped) => {
          const first = JSON.stringify(name)
          const code = name.charCodeAt(0).toString(16).padStart(4, '0')
          const second = escaped ? `"\\u${code}${JSON.stringify(name.slice(1)).slice(1)}` : first
          const [one, two] = [a, b].map((value) => JSON.stringify(value)) as [string, string]
          expect(
            codeOf(() => parseJson(`[${one},{"x${name.replace(/[^a-z]/g, '')}":{${first}:${one},${second}:${two}}}]`)),
          ).toBe('invalid-json')
        },
      ),
    )
  })

  test('does not take a text that looks like a member for one', () => {
    expect(parseJson('{"a":"\\"a\\":1","b":["a","a"]}')).toEqual({ a: '"a":1', b: ['a', 'a'] })
  })
})

describe('base64 (RFC 4648 section 10)', () => {
  test.each([
    ['', ''],
    ['f', 'Zg=='],
    ['fo', 'Zm8='],
    ['foo', 'Zm9v'],
    ['foob', 'Zm9vYg=='],
    ['fooba', 'Zm9vYmE='],
    ['foobar', 'Zm9vYmFy'],
  ])('writes %j as %j and reads it back', (text, encoded) => {
    expect(toBase64(utf8(text))).toBe(encoded)
    expect(fromUtf8(fromBase64(encoded))).toBe(text)
    expect(toBase64url(utf8(text))).toBe(encoded.replaceAll('=', ''))
  })

  test('agrees with the platform on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(toBase64url(bytes)).toBe(Buffer.from(bytes).toString('base64url'))
        expect(fromBase64url(toBase64url(bytes))).toEqual(bytes)
        expect(fromBase64(toBase64(bytes))).toEqual(bytes)
      }),
    )
  })

  test('gives each value one encoding only', () => {
    const texts = fc.string({ unit: fc.constantFrom(...'ABZaz09-_=+/ \n'), maxLength: 8 })
    fc.assert(
      fc.property(texts, (text) => {
        if (codeOf(() => fromBase64url(text)) === 'accepted') expect(toBase64url(fromBase64url(text))).toBe(text)
        if (codeOf(() => fromBase64(text)) === 'accepted') expect(toBase64(fromBase64(text))).toBe(text)
      }),
    )
    for (const text of ['Zh', 'Zg==', 'Zm9', 'Z', 'Zm 9v', 'Zm9v\n']) {
      expect(
        codeOf(() => fromBase64url(text)),
        text,
      ).toBe('invalid-request')
    }
  })
})

describe('base58 (draft-msporny-base58 section 5)', () => {
  test.each([
    ['48656c6c6f20576f726c6421', '2NEpo7TZRRrLZSi2U'],
    [
      toHex(utf8('The quick brown fox jumps over the lazy dog.')),
      'USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z',
    ],
    ['0000287fb4cd', '11233QC4'],
    ['', ''],
    ['00', '1'],
  ])('writes %s as %s and reads it back', (hex, text) => {
    expect(toBase58(fromHex(hex))).toBe(text)
    expect(toHex(fromBase58(text))).toBe(hex)
  })

  test('reads back any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        expect(fromBase58(toBase58(bytes))).toEqual(bytes)
      }),
    )
  })

  test('writes the number that the bytes are, by plain arithmetic', () => {
    const alphabet = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz'
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 70 }), (bytes) => {
        let text = ''
        for (let number = BigInt(`0x0${toHex(bytes)}`); number > 0n; number /= 58n)
          text = alphabet.charAt(Number(number % 58n)) + text
        const zeros = bytes.findIndex((byte) => byte !== 0)
        expect(toBase58(bytes)).toBe('1'.repeat(zeros < 0 ? bytes.length : zeros) + text)
      }),
    )
  })

  test.each(['0', 'O', 'I', 'l', 'é', '\u{1f600}', ' ', 'a+', '1'.repeat(257)])('refuses %j', (text) => {
    expect(codeOf(() => fromBase58(text))).toBe('invalid-request')
  })
})

describe('bytes', () => {
  test('compare by value and length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 4 }), fc.uint8Array({ maxLength: 4 }), (a, b) => {
        expect(equalBytes(a, b)).toBe(toHex(a) === toHex(b))
      }),
    )
  })

  test('that are not UTF-8 or not hexadecimal are refused', () => {
    expect(codeOf(() => fromUtf8(Uint8Array.of(0xff)))).toBe('invalid-request')
    expect(codeOf(() => fromUtf8(Uint8Array.of(0xed, 0xa0, 0x80)))).toBe('invalid-request')
    expect(codeOf(() => fromHex('0g'))).toBe('invalid-request')
    expect(codeOf(() => fromHex('0'))).toBe('invalid-request')
  })

  test('of an id are 16, given by the caller', () => {
    expect(encodeId('mp', new Uint8Array(16))).toBe('mp_AAAAAAAAAAAAAAAAAAAAAA')
    expect(() => encodeId('mp', new Uint8Array(15))).toThrow(RangeError)
  })
})

describe('digests', () => {
  test('are those of FIPS 180-4 and RFC 4231', () => {
    expect(toHex(node.sha256(utf8('abc')))).toBe('ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad')
    expect(toHex(node.hmacSha256(utf8('Jefe'), utf8('what do ya want for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    )
    const message = utf8('Test Using Larger Than Block-Size Key - Hash Key First')
    expect(toHex(node.hmacSha256(new Uint8Array(131).fill(0xaa), message))).toBe(
      '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
    )
  })

  test('are the same in browsers, and of the parts in a row', () => {
    const bytes = fc.uint8Array({ maxLength: 200, size: 'max' })
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        expect(browser.sha256(a, b)).toEqual(node.sha256(concat(a, b)))
        expect(browser.hmacSha256(a, b)).toEqual(node.hmacSha256(a, b))
      }),
    )
  })

  test('of a text are those of its UTF-8 form, whatever it holds', () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string({ unit: 'binary', size: 'max', maxLength: 5000 }), fc.constant('\ud800a')),
        (text) => {
          expect(node.sha256OfText(text)).toEqual(node.sha256(utf8(text)))
          expect(browser.sha256OfText(text)).toEqual(node.sha256(utf8(text)))
        },
      ),
    )
  })
})

describe.each([
  ['Node', node],
  ['a browser', browser],
])('texts in base64url on %s', (_platform, { base64urlOfText, digestOfText, textOfBase64url }) => {
  test('are written and read as their bytes are', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed()),
        (text) => {
          expect(base64urlOfText(text)).toBe(toBase64url(utf8(text)))
          expect(textOfBase64url(base64urlOfText(text))).toBe(text)
          expect(digestOfText(text)).toBe(toBase64url(node.sha256(utf8(text))))
        },
      ),
    )
  })

  test('are read as strictly as bytes and UTF-8 are', () => {
    const strictly = (encoded: string) => fromUtf8(fromBase64url(encoded))
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.uint8Array().map(toBase64url), fc.stringMatching(/^[A-Za-z0-9_+/=-]*$/)),
        (encoded) => {
          expect(codeOf(() => textOfBase64url(encoded))).toBe(codeOf(() => strictly(encoded)))
        },
      ),
      { numRuns: 1000 },
    )
  })

  test.each(['YQ==', 'YR', 'Y', 'YQ ', 'Y+', 'gA', '_w', '7aCA'])('refuse %j', (encoded) => {
    expect(codeOf(() => textOfBase64url(encoded))).toBe('invalid-request')
  })

  test('keep a byte order mark', () => {
    expect(textOfBase64url(toBase64url(Uint8Array.of(0xef, 0xbb, 0xbf)))).toBe('\ufeff')
  })
})
