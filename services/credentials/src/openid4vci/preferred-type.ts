/**
 * Which of the types the client likes best (RFC 9110 section 12.5.1), the first of them when it says nothing. A type that it
 * names counts for more than one that it takes among others.
 */
export function preferredType<Type extends string>(
  accept: string | undefined,
  types: readonly [Type, ...Type[]],
): Type {
  const ranges = (accept ?? '*/*').split(',').map(parseRange)
  let best = { type: types[0], weight: 0, named: false }
  for (const type of types) {
    const named = ranges.find(({ range }) => range === type)
    const { weight } = named ??
      ranges.find(({ range }) => range === `${type.split('/')[0]}/*`) ??
      ranges.find(({ range }) => range === '*/*') ?? { weight: 0 }
    const isNamed = named !== undefined
    if (weight > best.weight || (weight === best.weight && weight > 0 && isNamed && !best.named))
      best = { type, weight, named: isNamed }
  }
  return best.type
}

function parseRange(text: string): { range: string; weight: number } {
  const [range = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))
  const weight = quality === undefined ? 1 : Number(quality.slice(2))
  return { range, weight: weight >= 0 && weight <= 1 ? weight : 0 }
}
