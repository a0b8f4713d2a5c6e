import type { KoaContextWithOIDC } from 'oidc-provider'
import { escapeHtml, pageHeaders, renderPage } from './page.ts'

/** The pages oidc-provider shows by itself: errors that may not be redirected, and signing out. */
export function oauthPages(formTargets: readonly string[]) {
  const show = (ctx: KoaContextWithOIDC, title: string, body: string) => {
    ctx.set(pageHeaders(formTargets))
    ctx.type = 'text/html; charset=utf-8'
    ctx.body = renderPage(title, body)
  }
  return {
    error(ctx: KoaContextWithOIDC, out: object) {
      const rows = Object.entries(out).filter(([name]) => name === 'error' || name === 'error_description')
      const terms = rows.map(([name, text]) => `<dt>${escapeHtml(name)}</dt><dd>${escapeHtml(String(text))}</dd>`)
      show(ctx, 'This request cannot be answered', `<dl>${terms.join('')}</dl>`)
    },
    /** `form` is the provider's own markup with its one-time value. */
    logout(ctx: KoaContextWithOIDC, form: string) {
      show(
        ctx,
        'Sign out?',
        `${form}
<button type="submit" form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>
<button type="submit" form="op.logoutForm">No, stay signed in</button>`,
      )
    },
    loggedOut(ctx: KoaContextWithOIDC) {
      show(ctx, 'Signed out', '<p>You are signed out.</p>')
    },
  }
}
