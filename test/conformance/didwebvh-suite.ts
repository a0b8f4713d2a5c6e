import { judgeVectors, type Verdict } from './didwebvh-judge.ts'

/**
 * Holds `packages/did` to a checkout of the public did:webvh test suite: `node test/conformance/didwebvh-suite.ts FOLDER`.
 * Ends with status 1 when a verdict differs without being listed, and when a listed one no longer differs.
 */
const [checkout] = process.argv.slice(2)
if (checkout === undefined) {
  console.error('Usage: node test/conformance/didwebvh-suite.ts FOLDER, a checkout of didwebvh-test-suite')
  process.exit(2)
}

const judged = await judgeVectors(checkout, new Date())

const width = Math.max(0, ...judged.map(({ name }) => name.length))
for (const { name, verdict, because } of judged) console.log(`${name.padEnd(width)}  ${verdict.padEnd(13)}  ${because}`)

const count = (wanted: Verdict) => judged.filter(({ verdict }) => verdict === wanted).length
const counts = (['pass', 'contradiction', 'no result', 'FAIL'] as const).map(
  (verdict) => `${count(verdict)} ${verdict}`,
)
console.log(`\n${judged.length} vectors: ${counts.join(', ')}`)
if (judged.length === 0 || count('FAIL') > 0) process.exitCode = 1
