import type { AccessRecord } from '@tillit/schemas'
import { useCallback, useEffect, useState } from 'react'
import { type Authority, city } from './city.ts'
import { Proof } from './proof.tsx'
import { Loaded } from './section.tsx'
import { useResource } from './use-resource.ts'
import { capital, count, day, errorWords, granularityWords, moment } from './words.ts'

const pageSize = 20
/** The customer's own reads carry this in place of a party's DID. */
const self = 'customer'

interface RecordPage {
  access_records: AccessRecord[]
  next?: string
}

interface Props {
  authority: Authority
  timeZone: string | undefined
  /** Grows when something happened that may have made a record. */
  changes: number
}

/** Every decision that released or refused data, newest first, each provable. */
export function AccessRecords({ authority, timeZone, changes }: Props) {
  const [first, reload] = useResource(readFirstPage)
  const [withOwn, setWithOwn] = useState(false)
  useEffect(() => {
    if (changes > 0) void reload()
  }, [changes, reload])

  return (
    <>
      <div className="toolbar">
        <label className="choice inline">
          <input type="checkbox" checked={withOwn} onChange={(event) => setWithOwn(event.target.checked)} />
          <span>Show my own reads too</span>
        </label>
        <button type="button" className="quiet" onClick={() => void reload()}>
          Look again
        </button>
      </div>
      <Loaded resource={first} reload={reload}>
        {(page) => <Pages key={`${page.access_records[0]?.id}`} first={page} {...{ withOwn, authority, timeZone }} />}
      </Loaded>
    </>
  )
}

function Pages(props: { first: RecordPage; withOwn: boolean; authority: Authority; timeZone: string | undefined }) {
  const { first, withOwn, authority, timeZone } = props
  const [more, setMore] = useState<RecordPage>({ access_records: [] })
  const [fault, setFault] = useState<string | null>(null)
  const next = more.access_records.length === 0 ? first.next : more.next
  const loadMore = useCallback(async () => {
    if (next === undefined) return
    try {
      const page = await readPage(next)
      setMore((loaded) => ({ ...page, access_records: [...loaded.access_records, ...page.access_records] }))
      setFault(null)
    } catch (error) {
      setFault(errorWords(error))
    }
  }, [next])
  const all = [...first.access_records, ...more.access_records]
  const shown = all.filter((record) => withOwn || record.caller !== self)

  return (
    <>
      {shown.length === 0 ? (
        <p className="muted">
          {all.length === 0
            ? 'Nobody has read or asked for your data yet. Each attempt will be listed here.'
            : 'Nobody but you has read or asked for your data in this list.'}
        </p>
      ) : (
        <ul className="records">
          {shown.map((record) => (
            <Record key={record.id} {...{ record, authority, timeZone }} />
          ))}
        </ul>
      )}
      {fault !== null && (
        <p className="problem" role="alert">
          {fault}
        </p>
      )}
      {next !== undefined && (
        <button type="button" onClick={() => void loadMore()}>
          Show older ones
        </button>
      )}
    </>
  )
}

function Record(props: { record: AccessRecord; authority: Authority; timeZone: string | undefined }) {
  const { record, authority, timeZone } = props
  const allowed = record.decision === 'permit'
  const own = record.caller === self
  const period = `${day(record.from, timeZone)} to ${lastDay(record.to, timeZone)}`
  return (
    <li className="card record">
      <p className="record-head">
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
      <Proof record={record} authority={authority} />
    </li>
  )
}

/** Time is half open: the end itself does not belong to the period. */
function lastDay(end: string, timeZone: string | undefined): string {
  return day(new Date(Date.parse(end) - 1).toISOString(), timeZone)
}

function readFirstPage(): Promise<RecordPage> {
  return city.get('/access-records', { query: { limit: pageSize } })
}

function readPage(after: string): Promise<RecordPage> {
  return city.get('/access-records', { query: { limit: pageSize, after } })
}
