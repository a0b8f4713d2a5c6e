import { Problem } from '@tillit/problem'
import type { Chunks } from './parsed-reading.ts'

/** Longest line of a text file, in characters; a file with longer ones is not one of ours. */
export const maxLineCharacters = 8192

/** Decodes UTF-8 across chunk boundaries. Throws Problem invalid-file on other bytes. */
export async function* decodeChunks(chunks: Chunks): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  try {
    for await (const chunk of chunks) {
      yield typeof chunk === 'string' ? chunk : decoder.decode(chunk, { stream: true })
    }
    yield decoder.decode()
  } catch (cause) {
    if (cause instanceof TypeError) throw new Problem('invalid-file', { detail: 'The file is not UTF-8 text', cause })
    throw cause
  }
}

/** Cuts text into lines (LF or CRLF), numbered from 1, holding no more than one line. */
export async function* linesOf(chunks: Chunks): AsyncGenerator<{ text: string; line: number }> {
  let rest = ''
  let line = 0
  for await (const text of decodeChunks(chunks)) {
    const parts = (rest + text).split('\n')
    rest = parts.pop() ?? ''
    for (const part of parts) yield { text: checkLength(part, ++line).replace(/\r$/, ''), line }
    checkLength(rest, line + 1)
  }
  if (rest !== '') yield { text: rest.replace(/\r$/, ''), line: line + 1 }
}

function checkLength(text: string, line: number): string {
  if (text.length > maxLineCharacters)
    throw new Problem('invalid-file', { detail: `Line ${line} is longer than ${maxLineCharacters} characters` })
  return text
}
