import { Problem } from '@tillit/problem'
import type { InteractionResults } from 'oidc-provider'
import { type Persona, personaPage } from './development-eid.ts'
import type { InteractionPage } from './interaction-page.ts'
import { hashId } from './storage-adapter.ts'
import type { Store } from './store.ts'

export const signInPath = '/oauth/sign-in'
const eid = 'development'

export interface SignInPorts {
  store: Store
  personas: readonly Persona[]
}

/** The page on which a person signs in. Throws Problem sign-in-unavailable when no eID is configured. */
export function signInPage({ store, personas }: SignInPorts): InteractionPage {
  return {
    path: signInPath,
    prompt: 'login',
    keepEarlierAnswers: false,
    requireOpen() {
      if (personas.length === 0) throw new Problem('sign-in-unavailable')
    },
    show: async (_interaction, action) => personaPage(personas, action),
    async answer(_interaction, form): Promise<InteractionResults> {
      if (form.has('cancel')) return { error: 'access_denied', error_description: 'the sign-in was cancelled' }
      const accountId = await signIn({ store, personas }, form.get('persona'))
      return { login: { accountId, amr: [eid], remember: false } }
    },
  }
}

/** Which customer that is; the subject kept is a hash, so the table holds no name. */
async function signIn({ store, personas }: SignInPorts, key: string | null): Promise<string> {
  const persona = personas.find((one) => one.key === key)
  if (!persona) throw new Problem('invalid-request', { detail: 'There is no such persona', pointer: 'persona' })
  return store.customerOf({ eid, subject: hashId(`${eid}:${persona.key}`), customer_id: persona.customerId })
}
