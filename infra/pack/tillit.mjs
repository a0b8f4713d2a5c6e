#!/usr/bin/env node
import { readFileSync } from 'node:fs'

const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const [needed, actual] = [engines.node, process.versions.node].map((version) => version.match(/\d+/g).map(Number))
// Said here, in words, because an older Node would stop at the syntax of the first file.
if (actual[0] < needed[0] || (actual[0] === needed[0] && actual[1] < needed[1])) {
  console.error(`tillit needs Node ${engines.node.replace('>=', '')} or newer; this is ${process.versions.node}.`)
  process.exitCode = 1
} else await import('../dist/main.js')
