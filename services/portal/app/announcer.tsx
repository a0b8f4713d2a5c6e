import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react'

/** Where a result is said, by the id of its heading: in the part of the page that it is about, so that it covers nothing. */
export type Place = 'content' | 'waiting' | 'access' | 'wallet'

interface Message {
  text: string
  kind: 'done' | 'failed'
}

type Announce = (place: Place, text: string, kind?: Message['kind']) => void

/** One message a place, so that what comes in by itself never takes the words away that answer what somebody did. */
type Messages = Partial<Record<Place, Message>>

const Announcements = createContext<{ messages: Messages; announce: Announce; close: (place: Place) => void }>({
  messages: {},
  announce: () => undefined,
  close: () => undefined,
})

/** Says the result of what somebody did, on the page and to a screen reader. */
export function useAnnounce(): Announce {
  return useContext(Announcements).announce
}

/** Keeps the messages until they are closed or the next thing is done. */
export function Announcer({ children }: { children: ReactNode }) {
  const [messages, setMessages] = useState<Messages>({})
  const announce = useCallback<Announce>(
    (place, text, kind = 'done') => setMessages((others) => ({ ...others, [place]: { text, kind } })),
    [],
  )
  const close = useCallback((place: Place) => setMessages(({ [place]: _, ...others }) => others), [])
  useEffect(() => {
    // A key that activates something is a click too.
    const onAction = ({ target }: Event) => {
      if (target instanceof Element && target.closest('button, input, summary, a') !== null) setMessages({})
    }
    document.addEventListener('click', onAction)
    return () => document.removeEventListener('click', onAction)
  }, [])
  return (
    <Announcements value={useMemo(() => ({ messages, announce, close }), [messages, announce, close])}>
      {children}
    </Announcements>
  )
}

/** The live region of a place: always there, because a region that comes with its words is not read out everywhere. */
export function Announcement({ place }: { place: Place }) {
  const { messages, close } = useContext(Announcements)
  const message = messages[place]
  return (
    <div role="status">
      {message !== undefined && (
        <div className={`announcement ${message.kind}`}>
          <span>{message.text}</span>
          <button
            type="button"
            className="quiet"
            onClick={() => {
              close(place)
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
