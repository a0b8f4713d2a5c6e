import type { VerifiedReceipt } from '@tillit/log'
import { type Fact, Facts } from './facts.tsx'
import type { LogKey } from './log-key.ts'
import { moment } from './words.ts'

interface Props {
  verified: VerifiedReceipt
  selfWitnessed: boolean
  /** Name of the file that holds the receipt, once it is downloaded. */
  file: string
  logKey: LogKey
  timeZone: string | undefined
}

/** What this browser checked by itself, what it did not, and how to check the rest without the city. */
export function Evidence({ verified, selfWitnessed, file, logKey, timeZone }: Props) {
  const { anchored } = verified
  return (
    <div className="evidence">
      <p>
        <strong>Verified in this browser:</strong>
      </p>
      <ul>
        <li>The entry: the log took in exactly what is shown above, to the last letter.</li>
        <li>
          The log: it holds this entry as number {verified.index}, among {verified.size}.
        </li>
        <li>
          The signature on that state of the log: made with the key that this browser first saw on{' '}
          {moment(logKey.since, timeZone)}.
        </li>
      </ul>
      <p>
        <strong>Not checked here:</strong>
      </p>
      <ul>
        <li>
          {anchored === null
            ? 'The ledger: anchor pending. The city writes each state of the log to it; try again in a while.'
            : 'The ledger: the city says that it holds this state of the log. This page asks nobody but the city, so it cannot look.'}
        </li>
        {selfWitnessed && <li>A second opinion: no independent witness has signed this state of the log.</li>}
      </ul>
      <Facts facts={anchored === null ? [] : ledgerFacts(anchored, timeZone)} />
      <p>To check all of it without trusting this page, download the receipt and run on a computer with Tillit:</p>
      <pre>
        <code>{`npx tillit verify ${file}`}</code>
      </pre>
      <p className="small">
        Add --ledger and the address of a ledger node that you trust; else the city is asked for one.
      </p>
      <details>
        <summary>The numbers that were compared</summary>
        <Facts
          facts={[
            ['Commitment', verified.commitment],
            ['Root of the log', verified.root],
            ['Key of the log', logKey.vkey],
          ]}
        />
      </details>
    </div>
  )
}

function ledgerFacts(anchor: NonNullable<VerifiedReceipt['anchored']>, timeZone: string | undefined): Fact[] {
  return [
    ['Transaction', anchor.transaction],
    ['Contract', anchor.contract],
    ['Block', `block ${anchor.block_number} of chain ${anchor.chain_id}, ${moment(anchor.anchored_at, timeZone)}`],
  ]
}
