import { credentialRules } from '@tillit/credential'
import { Problem } from '@tillit/problem'
import type { CredentialBatch } from '@tillit/schemas'
import type { Context } from '../ports.ts'

/**
 * Gives a function that completes the claims of a line: its metering point by number or by id, whichever is there, as long as it
 * is one of the issuer's. Throws Problem metering-point-not-found or invalid-credential. Those who ask for a type that they do
 * not issue are refused with Problem role-required.
 */
export async function completeClaims(
  { store }: Pick<Context, 'store'>,
  issuerDid: string,
  { type, lines }: Pick<CredentialBatch, 'type' | 'lines'>,
): Promise<(claims: Record<string, unknown>) => Record<string, unknown>> {
  const { issuer, claims: schema } = credentialRules[type]
  if (issuer !== 'utility' && issuer !== 'root-or-utility') {
    throw new Problem('role-required', { detail: `A ${type} is not issued line by line`, pointer: '/type' })
  }
  const texts = (name: string) =>
    lines.flatMap(({ claims }) => (typeof claims[name] === 'string' ? [claims[name]] : []))
  const points = await store.meteringPointsOf(issuerDid, { ids: texts('metering_point'), gsrns: texts('gsrn') })
  const byId = new Map(points.map((point) => [point.id, point]))
  const byGsrn = new Map(points.map((point) => [point.gsrn, point]))
  const namesGsrn = Object.hasOwn(schema.properties, 'gsrn')
  return ({ gsrn, metering_point, ...claims }) => {
    const point = byId.get(String(metering_point)) ?? byGsrn.get(String(gsrn))
    if (!point) throw new Problem('metering-point-not-found', { detail: 'The issuer has no such metering point' })
    if (gsrn !== undefined && gsrn !== point.gsrn) {
      throw new Problem('invalid-credential', { detail: 'gsrn and metering_point are not the same', pointer: '/gsrn' })
    }
    return { ...claims, ...(namesGsrn ? { gsrn: point.gsrn } : {}), metering_point: point.id }
  }
}
