import { Problem } from '@tillit/problem'
import { escapeHtml, renderPage } from './page.ts'

/** Somebody to be while developing: no secret is asked for, so it exists in development only. */
export interface Persona {
  /** Names the persona in the form. */
  key: string
  name: string
  /** `cust_…`, opaque; what tokens carry as `sub`. */
  customerId: string
  description: string
}

const customerIdPattern = /^cust_[A-Za-z0-9_-]{22}$/

/** Throws Problem invalid-configuration when personas are given outside development, or are not well formed. */
export function checkPersonas(personas: readonly Persona[], environment: string): void {
  if (personas.length === 0) return
  if (environment !== 'development') {
    throw new Problem('invalid-configuration', {
      detail: 'The development eID lets anyone be anyone, so it is refused outside development',
      pointer: 'personas',
    })
  }
  const keys = new Set(personas.map((persona) => persona.key))
  const customers = new Set(personas.map((persona) => persona.customerId))
  const wellFormed = personas.every((persona) => customerIdPattern.test(persona.customerId))
  if (keys.size !== personas.length || customers.size !== personas.length || !wellFormed) {
    throw new Problem('invalid-configuration', {
      detail: 'Each persona needs a key of its own and an opaque customer id (cust_ and 22 characters) of its own',
      pointer: 'personas',
    })
  }
}

/** The page on which one picks who to be. */
export function personaPage(personas: readonly Persona[], action: string): string {
  const choices = personas.map(
    ({ key, name, description }) =>
      `<button type="submit" name="persona" value="${escapeHtml(key)}"><strong>${escapeHtml(name)}</strong> ${escapeHtml(description)}</button>`,
  )
  return renderPage(
    'Sign in',
    `<p class="notice">This is the development eID. It asks for no password and exists in development only.</p>
<form method="post" action="${escapeHtml(action)}">
<h2>Who are you today?</h2>
${choices.join('\n')}
<button type="submit" name="cancel" value="yes">Cancel</button>
</form>`,
  )
}
