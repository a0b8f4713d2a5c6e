/**
 * Writes the vectors of did:webvh logs and DIDs beside this file: `node test/vectors/did/generate.ts`. Hashes and proofs are made
 * here from the specification and not by packages/did, so that the two check each other. Keys come from fixed seeds.
 *
 * valid/    {kind: 'log', now, log, state}   the log verifies at `now`; the state has at least these members
 *           {kind: 'dids', dids: [{did, location?}]}   each parses, and is found at `location`
 *           {kind: 'resolution', now, did, query, log, witness, metadata}   the DID resolves with the log and the did-witness.json
 *                                                  (null: there is none) beside it; the document's metadata has at least these members
 *           {kind: 'dereferencing', didUrl, accept, document, content}   the DID URL leads to this within the document
 * invalid/  {kind: 'log', now, log, code, pointer}   all entries but the last verify; the last is refused with this code
 *           {kind: 'dids', dids, code}   each is refused with this code
 *           {kind: 'resolution', now, did, query, log, witness, code}   does not resolve, with this code; `witness` may be any text
 *           {kind: 'dereferencing', didUrl, accept, document, error}   ends in this error of DID Resolution
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { vectorFiles } from './vector-files.ts'

for (const folder of ['valid/', 'invalid/']) {
  const directory = new URL(folder, import.meta.url)
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(directory, { recursive: true })
}
for (const [path, text] of vectorFiles()) writeFileSync(new URL(path, import.meta.url), text)
