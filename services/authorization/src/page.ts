import { sha256, toBase64, utf8 } from '@tillit/codec'

const style = `
body { font: 1rem/1.5 system-ui, sans-serif; max-width: 36rem; margin: 2rem auto; padding: 0 1rem; color: #16202a; background: #fff }
button { font: inherit; display: block; width: 100%; text-align: start; margin: 0 0 .75rem; padding: .75rem 1rem; color: inherit;
  background: #f2f6fa; border: 2px solid #35618e; border-radius: .5rem; cursor: pointer }
button:hover { background: #dfeaf5 }
button:focus-visible { outline: 3px solid #b4540a; outline-offset: 2px }
button strong { display: block }
.notice { padding: .5rem 1rem; background: #fff3d6; border-inline-start: .3rem solid #b4540a }
@media (prefers-color-scheme: dark) {
  body { color: #e8eef4; background: #10171e } button { background: #1b2834 } button:hover { background: #243546 }
  .notice { background: #3a2c10 }
}
`
const styleHash = toBase64(sha256(utf8(style)))

/** A whole page in plain HTML. `title` is text; `body` is markup whose texts the caller has escaped. */
export function renderPage(title: string, body: string, language = 'en'): string {
  return `<!DOCTYPE html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} - Tillit</title>
<style>${style}</style>
</head>
<body>
<main>
<h1>${escapeHtml(title)}</h1>
${body}
</main>
</body>
</html>
`
}

/** Headers of every page: no script at all, no framing, and forms may lead only to us and on to the targets. */
export function pageHeaders(formTargets: readonly string[]): Record<string, string> {
  return {
    'content-security-policy': `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self' ${formTargets.join(' ')}; base-uri 'none'; frame-ancestors 'none'`,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  }
}

export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}
