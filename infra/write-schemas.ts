import { writeFileSync } from 'node:fs'
import { writeJsonSchemas } from '../schemas/generate.ts'
import { describeApi } from '../services/standalone/src/describe-api.ts'

// `npm run schemas`: what others generate code from, made from the sources that validate.
writeJsonSchemas()
writeFileSync(new URL('../schemas/openapi.json', import.meta.url), await describeApi())
