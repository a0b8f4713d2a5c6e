import { useState } from 'react'
import { ActionButton } from './action-button.tsx'
import { useAnnounce } from './announcer.tsx'
import { signOut } from './city.ts'
import { errorWords } from './words.ts'

export function Header({ signedIn }: { signedIn: boolean }) {
  const announce = useAnnounce()
  const [leaving, setLeaving] = useState(false)
  const leave = async () => {
    setLeaving(true)
    try {
      location.assign((await signOut()) ?? '/portal/')
    } catch (error) {
      setLeaving(false)
      announce('content', errorWords(error), 'failed')
    }
  }
  return (
    <header>
      <a className="brand" href="/portal/">
        <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
          <rect width="32" height="32" rx="7" fill="currentColor" />
          <path className="tick" d="M8 17l5 5 11-12" />
        </svg>
        Tillit
      </a>
      {signedIn && (
        <ActionButton className="quiet" busy={leaving} onClick={leave}>
          Sign out
        </ActionButton>
      )}
    </header>
  )
}
