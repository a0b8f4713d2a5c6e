import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react'

/** Where a result is said, by the id of its heading: in the part of the page that it is about, so that it covers nothing. */
export type Place = 'content' | 'waiting' | 'access' | 'wallet'

interface Message {
  text: string
  place: Place
  kind: 'done' | 'failed'
}

type Announce = (place: Place, text: string, kind?: Message['kind']) => void

const Announcements = createContext<{ message: Message | null; announce: Announce; close: () => void }>({
  message: null,
  announce: () => undefined,
  close: () => undefined,
})

/** Says the result of what somebody did, on the page and to a screen reader. */
export function useAnnounce(): Announce {
  return useContext(Announcements).announce
}

/** Keeps the one message there is, until it is closed or the next thing is done. */
export function Announcer({ children }: { children: ReactNode }) {
  const [message, setMessage] = useState<Message | null>(null)
  const announce = useCallback<Announce>((place, text, kind = 'done') => setMessage({ place, text, kind }), [])
  const close = useCallback(() => setMessage(null), [])
  useEffect(() => {
    // A key that activates something is a click too.
    const onAction = ({ target }: Event) => {
      if (target instanceof Element && target.closest('button, input, summary, a') !== null) close()
    }
    document.addEventListener('click', onAction)
    return () => document.removeEventListener('click', onAction)
  }, [close])
  return (
    <Announcements value={useMemo(() => ({ message, announce, close }), [message, announce, close])}>
      {children}
    </Announcements>
  )
}

/** The live region of a place: always there, because a region that comes with its words is not read out everywhere. */
export function Announcement({ place }: { place: Place }) {
  const { message, close } = useContext(Announcements)
  return (
    <div role="status">
      {message?.place === place && (
        <div className={`announcement ${message.kind}`}>
          <span>{message.text}</span>
          <button
            type="button"
            className="quiet"
            onClick={() => {
              close()
              document.getElementById(place)?.focus({ preventScroll: true })
            }}
          >
            Close
          </button>
        </div>
      )}
    </div>
  )
}
