import { Problem } from '@tillit/problem'
import { SaxesParser } from 'saxes'
import { decodeChunks } from './lines.ts'
import type { Chunks } from './parsed-reading.ts'

/** Deepest nesting taken; Green Button feeds need ten levels. */
export const maxXmlDepth = 32

/** Longest text, attribute list, comment or instruction between two tags, in characters. */
export const maxXmlTextCharacters = 65_536

/** Characters given to the parser at a time, so that the limits are looked at often. */
const sliceCharacters = 16_384

export interface XmlElement {
  /** Without its prefix. */
  readonly name: string
  /** Local names of the elements around it, outermost first. */
  readonly path: readonly string[]
  readonly line: number
}

export interface XmlHandler<Item> {
  open(element: XmlElement, attribute: (name: string) => string | undefined): void
  /** `text` is the element's own text, trimmed, up to its end tag. */
  close(element: XmlElement, text: string): void
  /** What was found since the last call. */
  take(): Item[]
}

/**
 * Parses XML as it arrives, in memory that does not grow with the file. A document type (and with it every entity
 * declaration), an encoding other than UTF-8, and anything over the limits is refused.
 * Throws Problem invalid-xml (with the line), or what the handler throws.
 */
export async function* streamXml<Item>(chunks: Chunks, handler: XmlHandler<Item>): AsyncGenerator<Item> {
  const parser = new SaxesParser({ xmlns: true, position: true })
  const path: string[] = []
  let text = ''
  let sinceMarkup = 0

  parser.on('doctype', () => {
    throw invalidXml(parser.line, 'A document type or entity declaration is not allowed')
  })
  parser.on('xmldecl', ({ encoding }) => {
    if (encoding !== undefined && !/^utf-?8$/i.test(encoding))
      throw invalidXml(parser.line, 'The encoding has to be UTF-8')
  })
  parser.on('opentag', ({ local, attributes }) => {
    sinceMarkup = 0
    text = ''
    if (path.length >= maxXmlDepth) throw invalidXml(parser.line, `Elements are nested over ${maxXmlDepth} deep`)
    handler.open({ name: local, path, line: parser.line }, (name) =>
      Object.hasOwn(attributes, name) ? attributes[name]?.value : undefined,
    )
    path.push(local)
  })
  parser.on('closetag', ({ local }) => {
    sinceMarkup = 0
    path.pop()
    handler.close({ name: local, path, line: parser.line }, text.trim())
    text = ''
  })
  const addText = (more: string) => {
    text += more
    if (text.length > maxXmlTextCharacters) throw tooLong(parser.line)
  }
  parser.on('text', addText)
  parser.on('cdata', addText)

  for await (const chunk of decodeChunks(chunks)) {
    for (let at = 0; at < chunk.length; at += sliceCharacters) {
      const slice = chunk.slice(at, at + sliceCharacters)
      sinceMarkup += slice.length
      parse(parser.line, () => parser.write(slice))
      if (sinceMarkup > maxXmlTextCharacters + sliceCharacters) throw tooLong(parser.line)
      yield* handler.take()
    }
  }
  parse(parser.line, () => parser.close())
  yield* handler.take()
}

function parse(line: number, step: () => void): void {
  try {
    step()
  } catch (cause) {
    if (cause instanceof Problem) throw cause
    const detail = cause instanceof Error ? cause.message.slice(0, 200) : 'not well formed'
    throw new Problem('invalid-xml', {
      detail: `The XML is not well formed: ${detail}`,
      pointer: `line:${line}`,
      cause,
    })
  }
}

function tooLong(line: number): Problem {
  return invalidXml(line, `More than ${maxXmlTextCharacters} characters stand between two tags`)
}

function invalidXml(line: number, detail: string): Problem {
  return new Problem('invalid-xml', { detail: `Line ${line}: ${detail}`, pointer: `line:${line}` })
}
