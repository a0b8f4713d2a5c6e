import { expect, test } from 'vitest'
import { credentialFormatsBench } from './credentials.ts'
import { describeFigure } from './figure.ts'

test('the bench of credential formats measures each figure, in rounds so short that they say nothing', async () => {
  const figures = await credentialFormatsBench({ rounds: 1, roundMilliseconds: 1, warmUpMilliseconds: 1 })
  expect(figures.map(({ target }) => target)).toEqual(['>= 1.5', '>= 0.4', '>= 1.5', '>= 0.4', '>= 0.7', '>= 10'])
  for (const one of figures) {
    expect(one.value).toBeGreaterThan(0)
    expect(describeFigure(one)).toContain(one.met ? ': met' : ': MISSED')
  }
})
