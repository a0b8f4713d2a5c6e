import { invalid, valid } from './collected.ts'
import './log-vectors.ts'
import './form-vectors.ts'
import './resolution-vectors.ts'
import './did-url-vectors.ts'

/** Every vector by the path of its file beside this one. */
export function vectorFiles(): Map<string, string> {
  const files = new Map<string, string>()
  for (const [folder, vectors] of Object.entries({ valid, invalid })) {
    for (const [sentence, vector] of Object.entries(vectors)) {
      const file = `${sentence.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')}.json`
      files.set(`${folder}/${file}`, `${JSON.stringify(vector, null, 2)}\n`)
    }
  }
  return files
}
