import type { AccessRecord } from '@tillit/schemas'
import { useState } from 'react'
import { ActionButton } from './action-button.tsx'
import { checkRecord, downloadReceipt, type Outcome, receiptFile } from './check-record.ts'
import { Evidence } from './evidence.tsx'
import type { LogKey } from './log-key.ts'
import { errorWords } from './words.ts'

interface Props {
  record: AccessRecord
  logKey: LogKey
  timeZone: string | undefined
  /** Id of what names the record, for who hears the buttons and does not see them. */
  describedBy: string
}

/** Lets the customer check a record for themselves: the browser does the arithmetic, not the city. */
export function Proof({ record, logKey, timeZone, describedBy }: Props) {
  const [outcome, setOutcome] = useState<Outcome | null>(null)
  const [checking, setChecking] = useState(false)
  const prove = async () => {
    setChecking(true)
    setOutcome(await checkRecord(record, logKey))
    setChecking(false)
  }
  const download = async () => {
    try {
      await downloadReceipt(record)
    } catch (error) {
      setOutcome({ state: 'failed', words: errorWords(error) })
    }
  }
  return (
    <>
      <div className="toolbar start">
        <ActionButton busy={checking} onClick={prove} describedBy={describedBy}>
          Prove it
        </ActionButton>
        <ActionButton busy={false} className="quiet" onClick={download} describedBy={describedBy}>
          Download receipt
        </ActionButton>
      </div>
      <div aria-live="polite">
        {checking && <p className="muted">Checking…</p>}
        {!checking && outcome !== null && <Said {...{ outcome, logKey, timeZone }} file={receiptFile(record)} />}
      </div>
    </>
  )
}

function Said(props: { outcome: Outcome; file: string; logKey: LogKey; timeZone: string | undefined }) {
  const { outcome, ...shown } = props
  switch (outcome.state) {
    case 'not-in-log':
      return <p>The log has not taken this record yet. It takes a second or so; try again.</p>
    case 'failed':
      return <p className="problem">{outcome.words}</p>
    case 'proved':
      return <Evidence {...outcome} {...shown} />
  }
}
