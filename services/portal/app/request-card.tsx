import { describeScope } from '@tillit/policy'
import type { Permission } from '@tillit/schemas'
import { type FormEvent, useId, useState } from 'react'
import { ActionButton } from './action-button.tsx'
import { afterwards } from './afterwards.tsx'
import { useAnnounce } from './announcer.tsx'
import { granularityChoices, narrowed } from './choices.ts'
import { Facts } from './facts.tsx'
import { useStanding } from './organisations.tsx'
import type { Wallet } from './wallet.ts'
import { capital, errorWords, granularityWords } from './words.ts'

interface Props {
  permission: Permission
  timeZone: string | undefined
  wallet: Wallet | null
  /** Called with the part of the page where the outcome is to be seen. */
  onAnswered: (place: 'waiting' | 'access') => Promise<void>
}

/** One request: who, why, what it reveals, for how long; and the answer, of which refusing weighs as much as accepting. */
export function RequestCard({ permission, timeZone, wallet, onAnswered }: Props) {
  const { requested_scope: scope, party } = permission
  const announce = useAnnounce()
  const id = useId()
  const [granularity, setGranularity] = useState<string | null>(null)
  const [purposes, setPurposes] = useState<ReadonlySet<string>>(new Set())
  const [fault, setFault] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const described = describeScope(scope, 'en', timeZone === undefined ? {} : { timeZone })
  const optional = described.purposes.filter(({ required }) => !required)

  const answer = async (work: () => Promise<unknown>, place: 'waiting' | 'access', done: string) => {
    setBusy(true)
    setFault(null)
    try {
      await work()
      announce(place, done)
      await onAnswered(place)
    } catch (error) {
      setFault(errorWords(error))
      setBusy(false)
    }
  }
  const accept = (event: FormEvent) => {
    event.preventDefault()
    if (busy || wallet === null) return
    if (granularity === null) return setFault('First choose how much detail you give.')
    const given = narrowed(scope, granularity, purposes)
    if (given.purpose.length === 0) return setFault('First choose at least one purpose.')
    return answer(
      () => wallet.accept(permission, given),
      'access',
      `You gave ${party.name} access: ${granularityWords(granularity)}.`,
    )
  }
  const refuse = () =>
    wallet !== null &&
    answer(() => wallet.reject(permission), 'waiting', `You refused ${party.name}. They get no data.`)

  return (
    <article className="card" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{party.name}</h3>
      <Accreditation did={party.did} />
      <Facts
        facts={[
          ['Asks for', `${described.what}: ${granularityWords(scope.finest_granularity)}`],
          [
            'Why',
            described.purposes.filter(({ required }) => required).map((one) => `${one.title}. ${one.description}`),
          ],
          ['This would reveal', capital(described.detail)],
          ['Data of the period', described.period],
          ['Access ends', described.until],
          ...afterwards(scope, described),
        ]}
      />
      <form onSubmit={accept} noValidate>
        <fieldset aria-describedby={fault === null ? undefined : `${id}-fault`}>
          <legend>How much detail do you give?</legend>
          {granularityChoices(scope).map((choice) => (
            <label key={choice.granularity} className="choice">
              <input
                type="radio"
                name={`${id}-granularity`}
                checked={granularity === choice.granularity}
                onChange={() => setGranularity(choice.granularity)}
              />
              <span>
                <strong>
                  {capital(choice.label)}
                  {choice.asked ? ', as asked' : ' only'}
                </strong>
                <span className="muted">Reveals {choice.reveals}</span>
              </span>
            </label>
          ))}
        </fieldset>
        {optional.length > 0 && (
          <fieldset>
            <legend>May they also use it for this? (your choice)</legend>
            {optional.map(({ code, title, description }) => (
              <label key={code} className="choice">
                <input
                  type="checkbox"
                  checked={purposes.has(code)}
                  onChange={(event) => setPurposes(withChoice(purposes, code, event.target.checked))}
                />
                <span>
                  <strong>{title}</strong>
                  <span className="muted">{description}</span>
                </span>
              </label>
            ))}
          </fieldset>
        )}
        {fault !== null && (
          <p className="problem" role="alert" id={`${id}-fault`}>
            {fault}
          </p>
        )}
        <div className="answers">
          <ActionButton busy={busy || wallet === null} describedBy={`${id}-title`}>
            Accept
          </ActionButton>
          <ActionButton busy={busy || wallet === null} onClick={refuse} describedBy={`${id}-title`}>
            Refuse
          </ActionButton>
        </div>
        <p className="muted small">Whatever you give, you can stop it at any time, in one step.</p>
      </form>
    </article>
  )
}

/** Said only when the registry says it now, and not because a request has come this far. */
function Accreditation({ did }: { did: string }) {
  const standing = useStanding(did)
  if (standing.state === 'asking') return <p className="verified">Looking it up in the register…</p>
  if (standing.state === 'known' && standing.active)
    return <p className="verified">Verified organisation: accredited by the city’s registrar</p>
  return <p className="problem">The city’s register does not confirm that this organisation is accredited now.</p>
}

function withChoice(chosen: ReadonlySet<string>, code: string, ticked: boolean): ReadonlySet<string> {
  const next = new Set(chosen)
  if (ticked) next.add(code)
  else next.delete(code)
  return next
}
