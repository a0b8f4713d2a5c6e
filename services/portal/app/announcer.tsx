import { createContext, type ReactNode, useCallback, useContext, useState } from 'react'

interface Message {
  text: string
  kind: 'done' | 'failed'
}

const Announce = createContext<(text: string, kind?: Message['kind']) => void>(() => undefined)

/** Says the result of what somebody did, on the page and to a screen reader. */
export function useAnnounce(): (text: string, kind?: Message['kind']) => void {
  return useContext(Announce)
}

export function Announcer({ children }: { children: ReactNode }) {
  const [message, setMessage] = useState<Message | null>(null)
  const announce = useCallback((text: string, kind: Message['kind'] = 'done') => setMessage({ text, kind }), [])
  return (
    <Announce value={announce}>
      {children}
      <div className="announcement" role="status" aria-live="polite">
        {message !== null && (
          <div className={`announcement-box ${message.kind}`}>
            <span>{message.text}</span>
            <button type="button" className="quiet" onClick={() => setMessage(null)}>
              Close
            </button>
          </div>
        )}
      </div>
    </Announce>
  )
}
