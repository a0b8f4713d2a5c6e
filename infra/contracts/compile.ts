import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The checked-in result of compiling one contract; reproduced byte for byte by a test. */
export interface ContractArtefact {
  contract: string
  compiler: string
  settings: object
  sourceSha256: string
  abi: unknown[]
  /** What a deployment carries, before the constructor's arguments. */
  bytecode: string
  /** The code as it stands on a chain afterwards. */
  deployedBytecode: string
}

interface Solc {
  version(): string
  compile(input: string): string
}

interface Code {
  object: string
}

interface CompilerOutput {
  errors?: { severity: string; formattedMessage: string }[]
  contracts?: Record<string, Record<string, { abi: unknown[]; evm: { bytecode: Code; deployedBytecode: Code } }>>
}

const name = 'TillitAnchor'
const sourceFile = new URL(`./${name}.sol`, import.meta.url)
const artefactFile = new URL(`./${name}.json`, import.meta.url)

/** Paris: the oldest EVM among the chains we anchor on (IOTA EVM lacks PUSH0). No metadata hash, so only code counts. */
const settings = {
  evmVersion: 'paris',
  optimizer: { enabled: true, runs: 200 },
  metadata: { bytecodeHash: 'none' },
}

/** Compiles the anchor contract and gives the text of its artefact. Throws with the compiler's messages. */
export function compileAnchor(): string {
  const solc = createRequire(import.meta.url)('solc') as Solc
  const source = readFileSync(sourceFile, 'utf8')
  const input = {
    language: 'Solidity',
    sources: { [`${name}.sol`]: { content: source } },
    settings: {
      ...settings,
      outputSelection: { '*': { '*': ['abi', 'evm.bytecode.object', 'evm.deployedBytecode.object'] } },
    },
  }
  const output = JSON.parse(solc.compile(JSON.stringify(input))) as CompilerOutput
  const contract = output.contracts?.[`${name}.sol`]?.[name]
  if (output.errors?.length || !contract) {
    throw new Error(output.errors?.map((error) => error.formattedMessage).join('\n') ?? 'solc gave no contract')
  }
  const artefact: ContractArtefact = {
    contract: name,
    compiler: solc.version(),
    settings,
    sourceSha256: createHash('sha256').update(source).digest('hex'),
    abi: contract.abi,
    bytecode: `0x${contract.evm.bytecode.object}`,
    deployedBytecode: `0x${contract.evm.deployedBytecode.object}`,
  }
  return `${JSON.stringify(artefact, null, 2)}\n`
}

if (import.meta.main) {
  writeFileSync(artefactFile, compileAnchor())
  console.log(`${name}.json is written`)
}
