import type { ReactNode } from 'react'

interface Props {
  /** Set while the work is under way, or cannot begin yet. */
  busy: boolean
  className?: string
  describedBy?: string
  /** Left out for the button that sends its form. */
  onClick?: () => void
  children: ReactNode
}

/** A button that does nothing while it is busy but keeps the focus, which a disabled one would lose. */
export function ActionButton({ busy, className, describedBy, onClick, children }: Props) {
  return (
    <button
      type={onClick === undefined ? 'submit' : 'button'}
      className={className}
      aria-disabled={busy}
      aria-describedby={describedBy}
      onClick={(event) => {
        if (busy) event.preventDefault()
        else onClick?.()
      }}
    >
      {children}
    </button>
  )
}
