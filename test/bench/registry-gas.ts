import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { anvilAccount, measureAnchorGas, openEvmLedger, startAnvil } from '@tillit/ledger'
import { type Figure, figureWithin } from './figure.ts'
import type { RegistrySizes } from './registry.ts'

/** A log that was anchored before: the very first anchor of a contract costs more, once. */
const anchoredBefore = 1_000_000

/** What one DID operation costs on the ledger: an interval has one anchor, whatever it holds. */
export async function gasBench({ operations }: RegistrySizes['gas']): Promise<Figure[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'tillit-bench-ledger-'))
  const anvil = await startAnvil({ dataDir })
  try {
    const ledger = await openEvmLedger({ rpcUrl: anvil.rpcUrl, account: anvilAccount() })
    const sizes = operations.map(
      (_, i) => anchoredBefore + operations.slice(0, i + 1).reduce((sum, each) => sum + each),
    )
    const [, ...anchors] = await measureAnchorGas(ledger, [anchoredBefore, ...sizes])
    await ledger.close()
    const points = operations.map((count, i) => ({ at: count, value: (anchors[i]?.gasUsed ?? Number.NaN) / count }))
    const counted = points.find(({ at }) => at === 10_000) ?? points.at(-1)
    if (counted === undefined) throw new Error('there are no intervals')
    const unit = 'gas an operation'
    const name = `gas of a DID operation, ${counted.at.toLocaleString('en')} in an interval`
    const found = figureWithin({ bench: 'registry', figure: name, value: counted.value, unit }, { most: 6 })
    return [{ ...found, curve: { over: 'operations in an interval', unit, points } }]
  } finally {
    await anvil.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}
