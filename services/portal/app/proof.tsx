import { completeReceipt } from '@tillit/client'
import { canonicalJson } from '@tillit/codec'
import { type VerifiedReceipt, verifyReceipt } from '@tillit/log'
import { isProblem } from '@tillit/problem'
import type { AccessRecord, Opening, Receipt } from '@tillit/schemas'
import { useState } from 'react'
import { type Authority, city } from './city.ts'
import { Facts } from './facts.tsx'
import { errorWords, moment } from './words.ts'

type Outcome =
  | { state: 'none' | 'checking' | 'not-in-log' }
  | { state: 'proved'; verified: VerifiedReceipt }
  | { state: 'failed'; words: string }

/** Lets the customer check a record for themselves: the browser does the arithmetic, not the city. */
export function Proof({ record, authority }: { record: AccessRecord; authority: Authority }) {
  const [outcome, setOutcome] = useState<Outcome>({ state: 'none' })
  const prove = async () => {
    setOutcome({ state: 'checking' })
    setOutcome(await check(record, authority))
  }
  const download = async () => {
    try {
      save(await readReceipt(record), `tillit-receipt-${record.id}.json`)
    } catch (error) {
      setOutcome({ state: 'failed', words: errorWords(error) })
    }
  }
  return (
    <div className="proof">
      <div className="toolbar start">
        <button type="button" disabled={outcome.state === 'checking'} onClick={prove}>
          Prove it
        </button>
        <button type="button" className="quiet" onClick={download}>
          Download receipt
        </button>
      </div>
      <div aria-live="polite">
        <OutcomeWords outcome={outcome} />
      </div>
    </div>
  )
}

function OutcomeWords({ outcome }: { outcome: Outcome }) {
  switch (outcome.state) {
    case 'none':
      return null
    case 'checking':
      return <p className="muted">Checking…</p>
    case 'not-in-log':
      return <p>The log has not taken this record yet. It takes a second or so; try again.</p>
    case 'failed':
      return <p className="problem">{outcome.words}</p>
    case 'proved':
      return <Evidence verified={outcome.verified} />
  }
}

function Evidence({ verified }: { verified: VerifiedReceipt }) {
  const { anchored } = verified
  return (
    <div className="evidence">
      <p>
        <strong>Verified in this browser.</strong> The log holds exactly this record
        {anchored === null
          ? '. Ledger anchor pending: try again in a while.'
          : ', and the ledger is said to hold that state of the log, so it cannot be rewritten unnoticed.'}
      </p>
      <Facts
        facts={[
          ['Commitment', verified.commitment],
          ['Place in the log', `entry ${verified.index}`],
          ['Checkpoint', `${verified.size} entries, root ${verified.root}`],
          ['Ledger', anchored === null ? 'anchor pending' : anchorWords(anchored)],
        ]}
      />
    </div>
  )
}

function anchorWords(anchor: NonNullable<VerifiedReceipt['anchored']>): string[] {
  return [
    `block ${anchor.block_number} of chain ${anchor.chain_id}, ${moment(anchor.anchored_at)}`,
    `transaction ${anchor.transaction}`,
    `contract ${anchor.contract}`,
  ]
}

async function check(record: AccessRecord, authority: Authority): Promise<Outcome> {
  try {
    const receipt = await readReceipt(record)
    const verified = verifyReceipt(receipt, { vkey: authority.log.vkey })
    // What is proved must be what is shown here, to the last letter.
    if (canonicalJson(receipt.opening.entry) !== canonicalJson(record)) {
      return {
        state: 'failed',
        words: 'The log holds something else than what is shown here. Keep the receipt and complain.',
      }
    }
    return { state: 'proved', verified }
  } catch (error) {
    if (isProblem(error, 'log-entry-not-found')) return { state: 'not-in-log' }
    if (isProblem(error)) return { state: 'failed', words: `This record could not be proved. ${error.message}` }
    return { state: 'failed', words: errorWords(error) }
  }
}

async function readReceipt(record: AccessRecord): Promise<Receipt> {
  const opening = await city.get<Opening>(`/access-records/${record.id}/receipt`)
  return { ...(await completeReceipt(city, opening)), city: location.origin }
}

function save(receipt: Receipt, name: string): void {
  const url = URL.createObjectURL(new Blob([JSON.stringify(receipt, null, 2)], { type: 'application/json' }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  URL.revokeObjectURL(url)
}
