import type { LogKey } from './log-key.ts'
import { moment } from './words.ts'

/** Said before anything else on the page: a log with another key could be another log, with another past. */
export function LogKeyAlarm({ held, named, trust }: { held: LogKey; named: string; trust: () => void }) {
  return (
    <div className="problem alarm" role="alert">
      <h2>The key of the city’s log has changed</h2>
      <p>
        This browser first saw the key on {moment(held.since)}. The city now names another one, so what it proves with
        it may come from another log, with other records. Nothing is counted as proved until you decide.
      </p>
      <p>
        Ask the city why. If it published the new key for a good reason, and it is the one below, you can trust it from
        now on.
      </p>
      <dl className="facts evidence-lines">
        <div>
          <dt>Key seen first</dt>
          <dd>{held.vkey}</dd>
        </div>
        <div>
          <dt>Key named now</dt>
          <dd>{named}</dd>
        </div>
      </dl>
      <button type="button" onClick={trust}>
        Trust the new key
      </button>
    </div>
  )
}
