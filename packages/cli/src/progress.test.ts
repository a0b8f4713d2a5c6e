import { expect, test } from 'vitest'
import { showProgress } from './progress.ts'

function screen(isTTY: boolean): { written: string[]; stream: Parameters<typeof showProgress>[0] } {
  const written: string[] = []
  return { written, stream: { isTTY, write: (text: string | Uint8Array) => written.push(String(text)) > 0 } }
}

test('a terminal gets one bar that is written over', () => {
  const { written, stream } = screen(true)
  const progress = showProgress(stream)
  progress.update(0, 300, 'nothing yet')
  progress.update(150, 300, 'half')
  progress.update(300, 300, 'all')
  progress.end()
  expect(written).toEqual([
    `\r${'░'.repeat(30)}   0 %  nothing yet\x1b[K`,
    `\r${'█'.repeat(15)}${'░'.repeat(15)}  50 %  half\x1b[K`,
    `\r${'█'.repeat(30)} 100 %  all\x1b[K`,
    '\n',
  ])
})

test('a terminal is not written to for what nobody sees', () => {
  const { written, stream } = screen(true)
  const progress = showProgress(stream)
  for (let done = 0; done <= 1_000_000; done++) progress.update(done, 1_000_000, `${done} replayed`)
  expect(written).toHaveLength(1001)
  expect(written.at(-1)).toContain('1000000 replayed')
})

test('a file gets a line for each tenth and no control characters', () => {
  const { written, stream } = screen(false)
  const progress = showProgress(stream)
  for (let done = 0; done <= 1000; done++) progress.update(done, 1000, `${done} stored`)
  progress.end()
  expect(written).toHaveLength(11)
  expect(written[1]).toBe(' 10 %  100 stored\n')
  expect(written.at(-1)).toBe('100 %  1000 stored\n')
  expect(written.some((text) => text.includes('\r') || text.includes('\x1b'))).toBe(false)
})

test('more done than was expected is no more than all, and nothing to do is done', () => {
  const { written, stream } = screen(false)
  showProgress(stream).update(12, 10, 'grew meanwhile')
  showProgress(stream).update(0, 0, 'empty file')
  expect(written).toEqual(['100 %  grew meanwhile\n', '100 %  empty file\n'])
})
