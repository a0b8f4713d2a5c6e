import type { ReactNode } from 'react'
import { Announcement, type Place } from './announcer.tsx'
import type { Resource } from './use-resource.ts'
import { errorWords } from './words.ts'

interface SectionProps {
  id: string
  title: string
  /** Results that are about this part are said below its heading. */
  place?: Place
  children: ReactNode
}

/** A part of the page with a heading. */
export function Section({ id, title, place, children }: SectionProps) {
  return (
    <section aria-labelledby={id}>
      <h2 id={id} tabIndex={-1}>
        {title}
      </h2>
      {place !== undefined && <Announcement place={place} />}
      {children}
    </section>
  )
}

/** Shows what was loaded; says so while it is on its way, and what to do when it did not come. */
export function Loaded<T>(props: { resource: Resource<T>; reload: () => void; children: (value: T) => ReactNode }) {
  const { resource, reload, children } = props
  switch (resource.state) {
    case 'loading':
      return <p className="muted">Loading…</p>
    case 'failed':
      return <Failed error={resource.error} reload={reload} />
    case 'ready':
      return children(resource.value)
  }
}

/** What went wrong, and a way to try again. */
export function Failed({ error, reload }: { error: unknown; reload: () => void }) {
  return (
    <div className="problem" role="alert">
      <p>{errorWords(error)}</p>
      <button type="button" onClick={reload}>
        Try again
      </button>
    </div>
  )
}
