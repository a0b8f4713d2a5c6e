import type {
  ActionSearchRequest,
  ActionSearchResponse,
  EntitySearchResponse,
  ResourceSearchRequest,
  SubjectSearchRequest,
} from '@tillit/schemas'
import type { Stretch } from './access-store.ts'
import {
  type AccessContext,
  type AccessWorld,
  isKnowable,
  loadWorld,
  type Resource,
  type Subject,
} from './access-world.ts'
import { type AskedContext, readContext } from './asked-context.ts'
import { actions, decideAccess } from './decide-access.ts'
import { isItself, isUtility, isUtilityOf, mayNotAsk } from './may-ask.ts'
import { searchPage } from './search-page.ts'

/**
 * OpenID AuthZEN Authorization API 1.0, section 8.4: who may do this at a metering point? For its utility only: what others were given
 * is nobody else's to know. Throws Problem access-denied, invalid-request.
 */
export async function searchSubjects(
  { subject: { type }, action, resource, context, page }: SubjectSearchRequest,
  asker: AccessContext,
): Promise<EntitySearchResponse> {
  const { access, caller, ports } = asker
  const asked = readContext(context, ports.now())
  const world = await loadWorld({ subjects: [], resources: [resource] }, asker)
  const point = world.point(resource)
  if (!point || !isUtilityOf(caller, point, world.party(caller.id))) throw mayNotAsk()
  const search = { search: 'subject', caller: caller.id, type, action, resource, context: context ?? null }
  const found = await searchPage(page, search, {
    candidates: async (stretch) => {
      if (type === 'did') return access.readersOf(point.id, stretch)
      return type === 'customer' ? access.customersOf(point.id, stretch) : []
    },
    permitted: async (ids) => {
      const subjects = ids.map((id) => ({ type, id }))
      const loaded = await loadWorld({ subjects, resources: [resource] }, asker)
      return idsOf(
        subjects.filter((subject) => permits({ subject, action: action.name, resource, asked }, loaded, ports.now())),
      )
    },
  })
  return { page: found.page, results: found.ids.map((id) => ({ type, id })) }
}

/**
 * Section 8.5: at which metering points may a subject do this? Everyone about themselves; a utility about anyone, at its own points.
 * Throws Problem access-denied, invalid-request.
 */
export async function searchResources(
  { subject, action, resource: { type }, context, page }: ResourceSearchRequest,
  asker: AccessContext,
): Promise<EntitySearchResponse> {
  const { access, caller, ports } = asker
  const asked = readContext(context, ports.now())
  const itself = isItself(caller, subject)
  if (!itself && !(await isAskedByUtility(asker))) throw mayNotAsk()
  const utilityDid = itself ? null : caller.id
  const search = { search: 'resource', caller: caller.id, subject, action, type, context: context ?? null }
  const found = await searchPage(page, search, {
    candidates: async (stretch: Stretch) => {
      if (type !== 'metering_point' || !isKnowable(subject)) return []
      const places = { utilityDid, ...stretch }
      if (subject.type === 'customer') return access.pointsOfCustomer(subject.id, places)
      return access.pointsOfReader(subject.id, places)
    },
    permitted: async (ids) => {
      const resources = ids.map((id) => ({ type, id }))
      const loaded = await loadWorld({ subjects: [subject], resources }, asker)
      return idsOf(
        resources.filter((resource) => permits({ subject, action: action.name, resource, asked }, loaded, ports.now())),
      )
    },
  })
  return { page: found.page, results: found.ids.map((id) => ({ type, id })) }
}

/** Section 8.6: what may a subject do at a metering point? Throws Problem access-denied, invalid-request. */
export async function searchActions(
  { subject, resource, context, page }: ActionSearchRequest,
  asker: AccessContext,
): Promise<ActionSearchResponse> {
  const { caller, ports } = asker
  const asked = readContext(context, ports.now())
  const world = await loadWorld({ subjects: [subject], resources: [resource] }, asker)
  if (!isItself(caller, subject) && !isUtilityOf(caller, world.point(resource), world.party(caller.id)))
    throw mayNotAsk()
  const search = { search: 'action', caller: caller.id, subject, resource, context: context ?? null }
  const found = await searchPage(page, search, {
    candidates: async ({ after, limit }) => actions.filter((name) => name > after).slice(0, limit),
    permitted: async (names) =>
      new Set(names.filter((action) => permits({ subject, action, resource, asked }, world, ports.now()))),
  })
  return { page: found.page, results: found.ids.map((name) => ({ name })) }
}

async function isAskedByUtility(asker: AccessContext): Promise<boolean> {
  const world = await loadWorld({ subjects: [], resources: [] }, asker)
  return isUtility(asker.caller, world.party(asker.caller.id))
}

interface Asked {
  subject: Subject
  action: string
  resource: Resource
  asked: AskedContext
}

function permits({ subject, action, resource, asked }: Asked, world: AccessWorld, now: Date): boolean {
  const question = { subject, action, point: world.point(resource), context: asked }
  return decideAccess(question, world, now).decision === 'permit'
}

function idsOf(entities: readonly { id: string }[]): ReadonlySet<string> {
  return new Set(entities.map(({ id }) => id))
}
