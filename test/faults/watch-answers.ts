export interface Answer {
  /** Null when no answer came: connection refused, reset, timed out. */
  status: number | null
  code: string | null
  retryAfter: string | null
  milliseconds: number
}

/** A fetch that notes what every request got, for conditions that must hold for all of them. */
export function watchAnswers(): { fetch: typeof fetch; answers: Answer[] } {
  const answers: Answer[] = []
  return {
    answers,
    fetch: async (input, init) => {
      const began = performance.now()
      const note = (answer: Omit<Answer, 'milliseconds'>) =>
        answers.push({ ...answer, milliseconds: performance.now() - began })
      const reply = await fetch(input, init).catch((error: unknown) => {
        note({ status: null, code: null, retryAfter: null })
        throw error
      })
      const code = reply.ok ? null : await codeOf(reply.clone())
      note({ status: reply.status, code, retryAfter: reply.headers.get('retry-after') })
      return reply
    },
  }
}

async function codeOf(reply: Response): Promise<string> {
  const text = await reply.text()
  try {
    const { code, error } = JSON.parse(text) as { code?: string; error?: string }
    return code ?? error ?? 'none'
  } catch {
    return `no JSON: ${text.slice(0, 80)}`
  }
}
