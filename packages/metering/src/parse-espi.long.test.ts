import { expect, test } from 'vitest'
import { parseEspi } from './parse-espi.ts'

const megabytes = 128
const head =
  '<feed xmlns="http://www.w3.org/2005/Atom"><entry><content><ReadingType xmlns="http://naesb.org/espi"><flowDirection>1</flowDirection>' +
  '<uom>72</uom></ReadingType></content></entry><entry><content><IntervalBlock xmlns="http://naesb.org/espi">'

test('a file of any size is parsed in memory that does not grow with it', async () => {
  let characters = 0
  async function* file() {
    yield head
    for (let start = 0; characters < megabytes * 1024 * 1024; ) {
      let chunk = ''
      for (let i = 0; i < 300; i++, start += 900)
        chunk += `<IntervalReading><timePeriod><duration>900</duration><start>${start}</start></timePeriod><value>1</value></IntervalReading>`
      characters += chunk.length
      yield new TextEncoder().encode(chunk)
    }
    yield '</IntervalBlock></content></entry></feed>'
  }
  let readings = 0
  let peak = 0
  const before = process.memoryUsage().rss
  for await (const reading of parseEspi(file())) {
    readings++
    if (reading.valueMilli !== 1000) expect.unreachable()
    if (readings % 50_000 === 0) peak = Math.max(peak, process.memoryUsage().rss - before)
  }
  expect(readings).toBeGreaterThan(megabytes * 8000)
  expect(peak / 1024 / 1024).toBeLessThan(150)
})
