import { describeScope } from '@tillit/policy'
import type { Permission } from '@tillit/schemas'
import { type FormEvent, useId, useState } from 'react'
import { useAnnounce } from './announcer.tsx'
import { granularityChoices, narrowed } from './choices.ts'
import { Facts } from './facts.tsx'
import type { Wallet } from './wallet.ts'
import { capital, errorWords, granularityWords } from './words.ts'

interface Props {
  permission: Permission
  timeZone: string | undefined
  wallet: Wallet | null
  onAnswered: () => Promise<void>
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

  const answer = async (work: () => Promise<unknown>, done: string) => {
    setBusy(true)
    setFault(null)
    try {
      await work()
      announce(done)
      await onAnswered()
    } catch (error) {
      setFault(errorWords(error))
      setBusy(false)
    }
  }
  const accept = (event: FormEvent) => {
    event.preventDefault()
    if (granularity === null) return setFault('First choose how much detail you give.')
    const given = narrowed(scope, granularity, purposes)
    if (given.purpose.length === 0) return setFault('First choose at least one purpose.')
    if (wallet === null) return
    return answer(
      () => wallet.accept(permission, given),
      `You gave ${party.name} access: ${granularityWords(granularity)}.`,
    )
  }
  const refuse = () =>
    wallet !== null && answer(() => wallet.reject(permission), `You refused ${party.name}. They get no data.`)

  return (
    <article className="card" aria-labelledby={`${id}-title`}>
      <h3 id={`${id}-title`}>{party.name}</h3>
      <p className="verified">Verified organisation: accredited by the city’s registrar</p>
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
          ['Afterwards', `${capital(described.deletedAfter)}; ${described.passedOn}`],
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
          <button type="submit" disabled={busy || wallet === null}>
            Accept
          </button>
          <button type="button" disabled={busy || wallet === null} onClick={refuse}>
            Refuse
          </button>
        </div>
        <p className="muted small">Whatever you give, you can stop it at any time, in one step.</p>
      </form>
    </article>
  )
}

function withChoice(chosen: ReadonlySet<string>, code: string, ticked: boolean): ReadonlySet<string> {
  const next = new Set(chosen)
  if (ticked) next.add(code)
  else next.delete(code)
  return next
}
