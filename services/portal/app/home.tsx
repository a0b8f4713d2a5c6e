import { isAccepted, isTerminal } from '@tillit/policy'
import type { MeteringPoint, Permission } from '@tillit/schemas'
import { useCallback, useEffect, useState } from 'react'
import { AccessRecords } from './access-records.tsx'
import { type Authority, city } from './city.ts'
import { Credentials } from './credentials.tsx'
import { DailyValues } from './daily-values.tsx'
import { LogKeyAlarm } from './log-key-alarm.tsx'
import { PermissionCard } from './permission-card.tsx'
import { RequestCard } from './request-card.tsx'
import { Failed, Loaded, Section } from './section.tsx'
import { useLogKey } from './use-log-key.ts'
import { useResource } from './use-resource.ts'
import { openWallet } from './wallet.ts'
import { capital, day } from './words.ts'

const waiting = 'SENT_TO_PERMISSION_ADMINISTRATOR'
const pageSize = 200
/** Nobody has more permissions than this many pages hold; a server that gives pages without end is not followed. */
const maxPages = 20

/** What a signed-in customer sees. */
export function Home({ customer, authority }: { customer: string; authority: Authority }) {
  const [wallet, openAgain] = useResource(useCallback(() => openWallet(customer, authority), [customer, authority]))
  const [permissions, reloadPermissions] = useResource(readPermissions)
  const [points, reloadPoints] = useResource(readMeteringPoints)
  const [answered, setAnswered] = useState<{ times: number; place: 'waiting' | 'access' }>({
    times: 0,
    place: 'access',
  })
  const timeZone = points.state === 'ready' ? points.value[0]?.time_zone : undefined
  const { logKey, alarming, trust } = useLogKey(authority.log.vkey)
  const changed = async (place: 'waiting' | 'access') => {
    await reloadPermissions()
    setAnswered(({ times }) => ({ times: times + 1, place }))
  }
  useEffect(() => {
    if (answered.times > 0) showOutcome(answered.place)
  }, [answered])
  const openedWallet = wallet.state === 'ready' ? wallet.value : null

  return (
    <>
      <h1>Your meter data</h1>
      {alarming && (
        <LogKeyAlarm
          held={logKey}
          named={authority.log.vkey}
          trust={() => {
            trust()
            document.getElementById('content')?.focus({ preventScroll: true })
          }}
        />
      )}
      {wallet.state === 'failed' && <Failed error={wallet.error} reload={openAgain} />}
      <Section id="waiting" place="waiting" title="Waiting for your answer">
        <Loaded resource={permissions} reload={reloadPermissions}>
          {(all) => (
            <Cards
              permissions={all.filter(({ state }) => state === waiting)}
              empty="Nobody is waiting for an answer. New requests appear here."
              card={(permission) => (
                <RequestCard
                  key={permission.id}
                  {...{ permission, timeZone, wallet: openedWallet, onAnswered: changed }}
                />
              )}
            />
          )}
        </Loaded>
      </Section>
      <Section id="access" place="access" title="Who has access">
        <Loaded resource={permissions} reload={reloadPermissions}>
          {(all) => (
            <>
              <Cards
                permissions={all.filter(isInForce)}
                empty="Nobody has access to your data on your permission."
                card={(permission) => (
                  <PermissionCard
                    key={permission.id}
                    {...{ permission, timeZone, wallet: openedWallet, onStopped: () => changed('access') }}
                  />
                )}
              />
              <Ended permissions={all.filter(({ state }) => isTerminal(state))} />
            </>
          )}
        </Loaded>
      </Section>
      <Section id="records" title="Who read what">
        <AccessRecords logKey={logKey} timeZone={timeZone} changes={answered.times} />
      </Section>
      <Section id="data" title="Your data">
        <Loaded resource={points} reload={reloadPoints}>
          {(all) =>
            all.length === 0 ? (
              <p className="muted">No meter is registered as yours. Ask your grid company if you miss one.</p>
            ) : (
              all.map((point) => <DailyValues key={point.id} point={point} />)
            )
          }
        </Loaded>
        <Credentials customer={customer} wallet={openedWallet} />
      </Section>
    </>
  )
}

/** The card with the focus is gone: a keyboard goes on from where its outcome is said, and the eye finds it there. */
function showOutcome(place: 'waiting' | 'access'): void {
  const heading = document.getElementById(place)
  heading?.focus()
  heading?.parentElement?.querySelector('[role=status]')?.scrollIntoView({ block: 'nearest' })
}

function Cards(props: { permissions: Permission[]; empty: string; card: (permission: Permission) => React.ReactNode }) {
  if (props.permissions.length === 0) return <p className="muted">{props.empty}</p>
  return <div className="cards">{props.permissions.map(props.card)}</div>
}

function Ended({ permissions }: { permissions: Permission[] }) {
  if (permissions.length === 0) return null
  return (
    <details>
      <summary>Ended or refused ({permissions.length})</summary>
      <ul>
        {permissions.map(({ id, party, state, changed_at }) => (
          <li key={id}>
            {party.name}: {capital(state.toLowerCase().replaceAll('_', ' '))}, {day(changed_at)}
          </li>
        ))}
      </ul>
    </details>
  )
}

async function readPermissions(): Promise<Permission[]> {
  const all: Permission[] = []
  let cursor: string | undefined
  for (let page = 0; page < maxPages; page++) {
    const query = { limit: pageSize, cursor }
    const answer = await city.get<{ permissions: Permission[]; next?: string }>('/permissions', { query })
    all.push(...answer.permissions)
    if (answer.next === undefined) break
    cursor = answer.next
  }
  return all
}

function isInForce({ state }: Permission): boolean {
  return isAccepted(state) || state === 'AWAITING_CO_APPROVAL'
}

async function readMeteringPoints(): Promise<MeteringPoint[]> {
  return (await city.get<{ metering_points: MeteringPoint[] }>('/metering-points')).metering_points
}
