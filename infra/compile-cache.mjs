import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Loading the modules of a city is half of a start. What V8 made of them is kept, and their TypeScript without types, each
// under the hash of its text; where nothing can be written they are compiled anew.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url)))
