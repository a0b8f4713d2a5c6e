/**
 * The schema without the `$id` of what it is made of: Fastify's serializer refuses a response in which the same `$id` stands
 * twice, as the scope does in a permission.
 */
export function inlineSchema<T>(schema: T): T {
  return withoutIds(schema) as T
}

function withoutIds(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutIds)
  if (value === null || typeof value !== 'object') return value
  const members = Object.entries(value).filter(([name, member]) => name !== '$id' || typeof member !== 'string')
  return Object.fromEntries(members.map(([name, member]) => [name, withoutIds(member)]))
}
