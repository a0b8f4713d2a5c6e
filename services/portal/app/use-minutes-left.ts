import { useEffect, useState } from 'react'

const lookMilliseconds = 1_000
const millisecondsOfMinute = 60_000

/** Minutes until then, rounded up: 0 when it is over, or never was. What uses it is drawn anew when they change. */
export function useMinutesLeft(endsAtMilliseconds: number | null): number {
  const [, setDrawn] = useState(0)
  useEffect(() => {
    if (endsAtMilliseconds === null) return
    const look = () => setDrawn(minutesUntil(endsAtMilliseconds))
    look()
    const timer = setInterval(look, lookMilliseconds)
    return () => clearInterval(timer)
  }, [endsAtMilliseconds])
  return endsAtMilliseconds === null ? 0 : minutesUntil(endsAtMilliseconds)
}

function minutesUntil(instantMilliseconds: number): number {
  return Math.max(0, Math.ceil((instantMilliseconds - Date.now()) / millisecondsOfMinute))
}
