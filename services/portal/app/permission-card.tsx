import { describeScope } from '@tillit/policy'
import type { Permission } from '@tillit/schemas'
import { useId, useState } from 'react'
import { ActionButton } from './action-button.tsx'
import { afterwards } from './afterwards.tsx'
import { useAnnounce } from './announcer.tsx'
import { Facts } from './facts.tsx'
import type { Wallet } from './wallet.ts'
import { capital, errorWords, granularityWords } from './words.ts'

/** Only consent is withdrawn; other legal bases are ended by an objection or a notice (GDPR art. 7(3), 21). */
const consent = 'eu-gdpr:A6-1-a'

interface Props {
  permission: Permission
  timeZone: string | undefined
  wallet: Wallet | null
  onStopped: () => Promise<void>
}

/** One permission in force, and the one step that ends it. */
export function PermissionCard({ permission, timeZone, wallet, onStopped }: Props) {
  const scope = permission.scope ?? permission.requested_scope
  const described = describeScope(scope, 'en', timeZone === undefined ? {} : { timeZone })
  const announce = useAnnounce()
  const id = useId()
  const [fault, setFault] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const less = scope.finest_granularity !== permission.requested_scope.finest_granularity

  const stop = async () => {
    if (wallet === null) return
    setBusy(true)
    setFault(null)
    try {
      await wallet.revoke(permission)
      announce('access', `Stopped. ${permission.party.name} can no longer read your data.`)
      await onStopped()
    } catch (error) {
      setFault(errorWords(error))
      setBusy(false)
    }
  }

  return (
    <article className="card" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{permission.party.name}</h3>
      {permission.state !== 'ACTIVE' && <p className="verified">{stateWords(permission.state)}</p>}
      <Facts
        facts={[
          [
            'Level of detail',
            `${capital(granularityWords(scope.finest_granularity))}${less ? ', less than they asked for' : ''}`,
          ],
          ['This reveals', capital(described.detail)],
          ['Why', described.purposes.map(({ title }) => title)],
          ['Until', described.until],
          ...afterwards(scope, described),
        ]}
      />
      {fault !== null && (
        <p className="problem" role="alert">
          {fault}
        </p>
      )}
      <div className="answers">
        <ActionButton busy={busy || wallet === null} onClick={stop} describedBy={`${id}-title`}>
          {scope.legal_basis === consent ? 'Stop sharing' : 'End this access'}
        </ActionButton>
      </div>
    </article>
  )
}

function stateWords(state: Permission['state']): string {
  switch (state) {
    case 'SUSPENDED':
      return 'Paused: no data flows now'
    case 'AWAITING_CO_APPROVAL':
      return 'Waits for the approval of somebody else in your household'
    default:
      return 'Accepted: data flows from the agreed start'
  }
}
