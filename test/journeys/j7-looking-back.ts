import { setTimeout as delay } from 'node:timers/promises'
import { completeReceipt } from '@tillit/client'
import { toHex } from '@tillit/codec'
import { readAnchor } from '@tillit/ledger'
import { verifyReceipt } from '@tillit/log'
import type { AccessRecord, Opening, Receipt } from '@tillit/schemas'
import type { Citizen } from './j3-sign-in.ts'
import { expectRefusal, expectThat, type Scene } from './scene.ts'
import type { Stage } from './stage.ts'

const anchorWaitMilliseconds = 60_000
const pollMilliseconds = 250

/** J7: the citizen and the auditor look back: every read is listed and proved against the ledger; a changed byte is found. */
export async function lookingBack(scene: Scene, stage: Stage, citizen: Citizen): Promise<void> {
  let records: AccessRecord[] = []
  await scene.step('J7', `${citizen.name} sees who read what, and who was refused`, async () => {
    records = (await citizen.city.get<{ access_records: AccessRecord[] }>('/access-records')).access_records
    const permitted = records.filter(({ decision }) => decision === 'permit')
    const parties = new Set(permitted.map(({ caller }) => caller))
    expectThat(parties.has(stage.adviser.did) && parties.has(stage.analyst.did), 'both readers are listed')
    expectThat(
      records.some(({ decision }) => decision === 'deny'),
      'refusals are listed too',
    )
    return Object.fromEntries(
      records.map(({ id, caller_name, decision, granularity, values, reason_code }) => [
        id,
        `${caller_name}: ${decision} (${reason_code}), ${values} values at ${granularity ?? '-'}`,
      ]),
    )
  })
  const receipts: Receipt[] = []
  await scene.step('J7', 'Every record is in the log, and the ledger holds the log', async () => {
    const { rpc_url: rpcUrl } = await stage.anyone.get<{ rpc_url: string }>('/registry/ledger')
    const vkey = (await stage.anyone.get<{ log: { vkey: string } }>('/authority')).log.vkey
    let evidence = ''
    for (const { id } of records) {
      const receipt = await anchoredReceipt(stage, await citizen.city.get<Opening>(`/access-records/${id}/receipt`))
      const verified = verifyReceipt(receipt, { vkey })
      expectThat(verified.anchored !== null, 'the checkpoint is anchored')
      const { contract, transaction, chain_id: chainId, block_number: block } = verified.anchored
      const onLedger = await readAnchor({ rpcUrl, contract, anchor: { transaction } })
      expectThat(
        onLedger.size === verified.size && toHex(onLedger.root) === verified.root,
        'the ledger holds this very root',
      )
      evidence = `block ${block} of chain ${chainId}, transaction ${transaction}`
      receipts.push(receipt)
    }
    return { proved: `${receipts.length} of ${records.length}`, last_anchor: evidence }
  })
  await scene.step('J7', 'A changed byte is found', async () => {
    const [receipt] = receipts
    expectThat(receipt !== undefined, 'there is a receipt')
    const entry = { ...receipt.opening.entry, values: Number(receipt.opening.entry.values) + 1 }
    const changed = await expectRefusal('invalid-receipt', () =>
      verifyReceipt({ ...receipt, opening: { ...receipt.opening, entry } }),
    )
    return { changed }
  })
}

async function anchoredReceipt(stage: Stage, opening: Opening): Promise<Receipt> {
  for (let waited = 0; ; waited += pollMilliseconds) {
    const receipt = await completeReceipt(stage.anyone, opening)
    if (receipt.leaf?.anchor || waited > anchorWaitMilliseconds) return receipt
    await delay(pollMilliseconds)
  }
}
