import { readFileSync } from 'node:fs'
import { type Hex, keccak256 } from 'viem'
import { expect, test } from 'vitest'
import { compileAnchor } from '../../../infra/contracts/compile.ts'
import artefact from '../../../infra/contracts/TillitAnchor.json' with { type: 'json' }
import { anchorAbi } from './anchor-abi.ts'
import { knownCode } from './anchor-contract.ts'

test('the checked-in contract artefact is what its source compiles to, byte for byte', () => {
  const file = new URL('../../../infra/contracts/TillitAnchor.json', import.meta.url)
  expect(compileAnchor()).toBe(readFileSync(file, 'utf8'))
})

test('the interface that the driver speaks is part of the contract’s', () => {
  const signature = (item: { type: string; name?: string; inputs?: readonly { type: string }[] }) =>
    `${item.type} ${item.name ?? ''}(${item.inputs?.map((input) => input.type).join()})`
  expect(artefact.abi.map(signature)).toEqual(expect.arrayContaining(anchorAbi.map(signature)))
})

test('the code that readers believe is that of the contract', () => {
  expect(knownCode).toContain(keccak256(artefact.deployedBytecode as Hex))
})
