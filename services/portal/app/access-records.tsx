import type { AccessRecord } from '@tillit/schemas'
import { useCallback, useEffect, useId, useState } from 'react'
import { city } from './city.ts'
import type { LogKey } from './log-key.ts'
import { Proof } from './proof.tsx'
import { type RecordPage, withNewest, withOlder } from './record-pages.ts'
import { Failed } from './section.tsx'
import { capital, count, day, granularityWords, moment } from './words.ts'

const pageSize = 20
/** The customer's own reads carry this in place of a party's DID. */
const self = 'customer'

interface Props {
  logKey: LogKey
  timeZone: string | undefined
  /** Grows when something happened that may have made a record. */
  changes: number
}

/** Every decision that released or refused data, newest first, each provable. */
export function AccessRecords({ logKey, timeZone, changes }: Props) {
  const { loaded, fault, look, loadMore } = useRecords(changes)
  const [withOwn, setWithOwn] = useState(false)
  const all = loaded?.access_records ?? []
  const shown = all.filter((record) => withOwn || record.caller !== self)

  return (
    <>
      <div className="toolbar">
        <label className="choice inline">
          <input type="checkbox" checked={withOwn} onChange={(event) => setWithOwn(event.target.checked)} />
          <span>Show my own reads too</span>
        </label>
        <button type="button" className="quiet" onClick={look}>
          Look again
        </button>
      </div>
      {fault !== null && <Failed error={fault.error} reload={look} />}
      {loaded === null && fault === null && <p className="muted">Loading…</p>}
      {loaded !== null && shown.length === 0 && (
        <p className="muted">
          {all.length === 0
            ? 'Nobody has read or asked for your data yet. Each attempt will be listed here.'
            : 'Nobody but you has read or asked for your data in this list.'}
        </p>
      )}
      <ul className="plain">
        {shown.map((record) => (
          <Record key={record.id} {...{ record, logKey, timeZone }} />
        ))}
      </ul>
      {loaded?.next !== undefined && (
        <button type="button" onClick={loadMore}>
          Show older ones
        </button>
      )}
    </>
  )
}

/** What was loaded stays when it is looked at again, so that an open proof stays open, also when the city does not answer. */
function useRecords(changes: number) {
  const [loaded, setLoaded] = useState<RecordPage | null>(null)
  const [fault, setFault] = useState<{ error: unknown } | null>(null)
  const load = useCallback(async (join: typeof withNewest, after?: string) => {
    try {
      const page = await city.get<RecordPage>('/access-records', { query: { limit: pageSize, after } })
      setLoaded((before) => join(before, page))
      setFault(null)
    } catch (error) {
      setFault({ error })
    }
  }, [])
  const look = useCallback(() => void load(withNewest), [load])
  const loadMore = () => void load(withOlder, loaded?.next)
  useEffect(look, [look])
  useEffect(() => {
    if (changes > 0) look()
  }, [changes, look])
  return { loaded, fault, look, loadMore }
}

function Record(props: { record: AccessRecord; logKey: LogKey; timeZone: string | undefined }) {
  const { record, logKey, timeZone } = props
  const id = useId()
  const allowed = record.decision === 'permit'
  const own = record.caller === self
  const period = `${day(record.from, timeZone)} to ${lastDay(record.to, timeZone)}`
  return (
    <li className="card">
      <p className="record-head" id={id}>
        <strong>{own ? 'You' : record.caller_name}</strong>
        <time dateTime={record.at}>{moment(record.at, timeZone)}</time>
        <span className={allowed ? 'mark allowed' : 'mark refused'}>{allowed ? 'Allowed' : 'Refused'}</span>
      </p>
      <p>
        {allowed
          ? `Read ${count(record.values, 'value', 'values')}${record.granularity === null ? '' : ` (${granularityWords(record.granularity)})`}, ${period}.`
          : `Asked for ${period}, and got nothing.`}
      </p>
      <p className="muted">{capital(record.reason)}</p>
      <Proof {...{ record, logKey, timeZone }} describedBy={id} />
    </li>
  )
}

/** Time is half open: the end itself does not belong to the period. */
function lastDay(end: string, timeZone: string | undefined): string {
  return day(new Date(Date.parse(end) - 1).toISOString(), timeZone)
}
