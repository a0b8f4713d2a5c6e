import { expect, test } from 'vitest'
import { describeFigure } from './figure.ts'
import { registryBench } from './registry.ts'

const pace = { rounds: 1, roundMilliseconds: 1, warmUpMilliseconds: 1 }

test('the bench of the registry measures each figure, at sizes so small that they say nothing', async () => {
  const figures = await registryBench({
    batches: { rounds: 1, batches: 2, dids: 5, rawMilliseconds: 1 },
    requests: { rounds: 1, requests: 70 },
    answers: { rounds: 1, requests: 20 },
    resolving: { entries: 4, pace },
    tree: { trees: [300, 3000], countedTree: 2000, pace },
    gas: { operations: [1, 10] },
  })
  expect(figures.map(({ unit }) => unit)).toEqual([
    ...['DIDs/s', 'DIDs/s', 'answers/s', 'logs/s', 'logs/s', 'proofs/s', 'proofs/s', 'MB'],
    ...['times', 'times', 'times', 'gas an operation'],
  ])
  for (const one of figures) {
    expect(one.value).toBeGreaterThan(0)
    expect(describeFigure(one)).toContain(one.target === null ? 'no target' : one.met ? ': met' : ': MISSED')
  }
  expect(figures.at(-1)?.curve?.points.map(({ at }) => at)).toEqual([1, 10])
})
