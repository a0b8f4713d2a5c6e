import catalogue from '../purposes.json' with { type: 'json' }
import type { PurposeCatalogue } from './purpose.ts'

/** The purposes of domain.md as data; an operator may load a catalogue of their own in its place. */
export const purposeCatalogue = catalogue as PurposeCatalogue
