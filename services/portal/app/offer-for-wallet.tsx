import { useState } from 'react'
import type { StandingOffer } from './offers.ts'
import { count } from './words.ts'

const digitsTogether = 3

/** What another wallet needs to take the offer: the picture or the link, and the code. */
export function OfferForWallet({ offer, minutesLeft }: { offer: StandingOffer; minutesLeft: number }) {
  return (
    <>
      <p>
        Scan the picture with the wallet that shall have the proof that the meter is yours. It will ask you for the
        code.
      </p>
      <div className="offer">
        <Picture source={offer.qr} />
        <div>
          <p className="muted">Code</p>
          <Digits code={offer.code} />
          <p>{timeWords(minutesLeft)}</p>
        </div>
      </div>
      <p>
        <a href={offer.link}>Open it in a wallet on this device</a>{' '}
        <span className="muted small">If nothing happens, this device has no wallet that can take it.</span>
      </p>
      <p>Show this to nobody else: whoever has the picture or the link, and the code, can take the proof.</p>
    </>
  )
}

/** The QR code; one that did not arrive is said, and asked for again. */
function Picture({ source }: { source: string }) {
  const [attempt, setAttempt] = useState({ number: 1, failed: false })
  if (attempt.failed) {
    return (
      <div className="problem" role="alert">
        <p>The picture did not arrive.</p>
        <button type="button" onClick={() => setAttempt(({ number }) => ({ number: number + 1, failed: false }))}>
          Try again
        </button>
      </div>
    )
  }
  return (
    <img
      key={attempt.number}
      className="qr"
      src={source}
      alt="QR code to scan with your other wallet"
      onError={() => setAttempt(({ number }) => ({ number, failed: true }))}
    />
  )
}

/** Large and in groups for the eye; digit by digit, and not as a number, for who listens. */
function Digits({ code }: { code: string }) {
  const groups = Array.from({ length: Math.ceil(code.length / digitsTogether) }, (_, index) => ({
    start: index * digitsTogether,
    digits: code.slice(index * digitsTogether, (index + 1) * digitsTogether),
  }))
  return (
    <p className="code">
      <span aria-hidden="true">
        {groups.map(({ start, digits }) => (
          <span key={start}>{digits}</span>
        ))}
      </span>
      <span className="unseen">{[...code].join(', ')}</span>
    </p>
  )
}

function timeWords(minutesLeft: number): string {
  if (minutesLeft <= 1) return 'It can be taken for less than a minute more.'
  return `It can be taken for about ${count(minutesLeft, 'minute', 'minutes')} more.`
}
