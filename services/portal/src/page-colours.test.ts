import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'

const css = await readFile(new URL('../app/page.css', import.meta.url), 'utf8')
const [light = '', dark = ''] = [...css.matchAll(/:root \{([^}]*)\}/g)].map(([, body]) => body)
/** Text, and what it is on (WCAG 2.2 success criterion 1.4.3). */
const texts = [
  'ink/ground',
  'ink/card',
  'soft/ground',
  'soft/card',
  'brand/ground',
  'brand/card',
  'on-brand/brand',
  'good/card',
]
const textsOnTint = ['good/good-ground', 'ink/good-ground', 'soft/good-ground', 'bad/bad-ground', 'soft/bad-ground']
/** Edges of controls, bars and the focus (success criterion 1.4.11). */
const shapes = ['edge/card', 'edge/ground', 'bar/ground', 'bar-partial/ground', 'focus/ground', 'focus/card']

test.each([
  ['light', light],
  ['dark', dark],
])('in %s every text and every shape stands out from what it is on', (_, theme) => {
  const colours = new Map([...theme.matchAll(/--([\w-]+): #([0-9a-f]{6})/g)].map(([, name, hex]) => [name, hex]))
  const ratio = (pair: string) => {
    const [one = '', other = ''] = pair.split('/')
    return contrast(luminance(colours.get(one)), luminance(colours.get(other)))
  }
  expect([...texts, ...textsOnTint].filter((pair) => ratio(pair) < 4.5)).toEqual([])
  expect(shapes.filter((pair) => ratio(pair) < 3)).toEqual([])
})

function contrast(one: number, other: number): number {
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05)
}

/** WCAG 2.2, relative luminance. */
function luminance(hex: string | undefined): number {
  if (hex === undefined) throw new Error('the page has no such colour')
  const [red = 0, green = 0, blue = 0] = [0, 2, 4]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4))
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
