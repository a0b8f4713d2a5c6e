import { CityError } from '@tillit/client'
import type { Offer } from '@tillit/schemas'
import { useEffect, useId, useRef, useState } from 'react'
import { ActionButton } from './action-button.tsx'
import { OfferForWallet } from './offer-for-wallet.tsx'
import { makeOffer, readOfferState, type StandingOffer, takeBack } from './offers.ts'
import { useMinutesLeft } from './use-minutes-left.ts'
import { errorWords } from './words.ts'

type Ending = Exclude<Offer['state'], 'open'>

interface Standing {
  state: 'standing'
  offer: StandingOffer
  /** When somebody asked last what became of it, and it was still open. */
  openAt: Date | null
}

type Progress = { state: 'none' } | Standing | { state: 'ended'; ending: Ending }

interface Props {
  customer: string
  /** What the proof is of; undefined leaves the choice to the city. */
  meteringPoint: string | undefined
}

/** The proof for another wallet of the same person. Code and link are in this page's memory only, and only while they stand. */
export function AnotherWallet({ customer, meteringPoint }: Props) {
  const [progress, setProgress] = useState<Progress>({ state: 'none' })
  const { busy, fault, doing } = useDoing()
  const heading = useRef<HTMLHeadingElement>(null)
  const id = useId()
  const { state } = progress
  useEffect(() => {
    if (state === 'none') return
    heading.current?.focus()
    // Focus alone leaves the picture below the edge of the window.
    heading.current?.scrollIntoView({ block: 'start' })
  }, [state])

  const standing = progress.state === 'standing' ? progress : null
  const minutesLeft = useMinutesLeft(standing?.offer.endsAtMilliseconds ?? null)

  const offer = doing(async () => {
    setProgress({ state: 'standing', offer: await makeOffer(customer, meteringPoint), openAt: null })
  })
  const end = (ending: Ending) => setProgress({ state: 'ended', ending })
  const look = (shown: Standing) =>
    doing(async () => {
      const now = await readOfferState(shown.offer.id)
      if (now === 'open') setProgress({ ...shown, openAt: new Date() })
      else end(now)
    })
  const withdraw = ({ offer: { id } }: Standing) => doing(async () => end(await takeBack(id)))

  return (
    <div className="another">
      {state !== 'none' && (
        <article className="card" aria-labelledby={id}>
          <h4 id={id} ref={heading} tabIndex={-1}>
            For your other wallet
          </h4>
          {standing !== null && minutesLeft > 0 && <OfferForWallet offer={standing.offer} minutesLeft={minutesLeft} />}
          <p role="status">{progressWords(progress, minutesLeft)}</p>
          {standing !== null && (
            <div className="answers">
              <ActionButton busy={busy} onClick={look(standing)} describedBy={id}>
                Look again
              </ActionButton>
              {minutesLeft > 0 && (
                <ActionButton busy={busy} onClick={withdraw(standing)} describedBy={id}>
                  Take it back
                </ActionButton>
              )}
            </div>
          )}
        </article>
      )}
      {fault !== null && (
        <p className="problem" role="alert">
          {fault}
        </p>
      )}
      {standing === null && (
        <ActionButton busy={busy} onClick={offer}>
          Put it into another wallet
        </ActionButton>
      )}
    </div>
  )
}

/** Does one thing at a time, and keeps in words why the last one failed until the next is tried. */
function useDoing() {
  const [busy, setBusy] = useState(false)
  const [fault, setFault] = useState<string | null>(null)
  const doing = (work: () => Promise<void>) => async () => {
    setBusy(true)
    setFault(null)
    try {
      await work()
    } catch (error) {
      setFault(faultWords(error))
    } finally {
      setBusy(false)
    }
  }
  return { busy, fault, doing }
}

function progressWords(progress: Progress, minutesLeft: number): string {
  switch (progress.state) {
    case 'none':
      return ''
    case 'standing':
      if (minutesLeft === 0) return 'The time is up. Look again to see whether your wallet received it.'
      if (progress.openAt === null) return ''
      return `At ${progress.openAt.toLocaleTimeString('en-GB')} no wallet had taken it yet.`
    case 'ended':
      return endingWords(progress.ending)
  }
}

function endingWords(ending: Ending): string {
  switch (ending) {
    case 'redeemed':
      return 'Your other wallet received it. If that was not you, tell your grid company at once.'
    case 'withdrawn':
      return 'Taken back. The picture, the link and the code no longer work.'
    case 'expired':
      return 'The time is up, and no wallet took it.'
  }
}

function faultWords(error: unknown): string {
  // Customers offer to themselves only: the session in this browser is no longer that of who sees the page.
  if (error instanceof CityError && error.code === 'role-required')
    return 'Somebody else has signed in in this browser. Load the page again.'
  return errorWords(error)
}
