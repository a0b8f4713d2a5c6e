import { useEffect, useState } from 'react'
import { readCheckpoint } from './city.ts'
import { followLogKey, holdLogKey, type LogKey, replaceLogKey } from './log-key.ts'

export interface HeldLogKey {
  logKey: LogKey
  /** The city names another key, and nothing that the held one signed vouches for it. */
  alarming: boolean
  trust: () => void
}

/** The log key that this browser goes by, for a city that names that one or another now. */
export function useLogKey(named: string): HeldLogKey {
  const [logKey, setLogKey] = useState(() => holdLogKey(named))
  const [following, setFollowing] = useState(logKey.changed)
  useEffect(() => {
    if (!following) return
    const follow = async () => setLogKey(followLogKey(logKey, { named, checkpoint: await readCheckpoint() }))
    // A checkpoint that cannot be had vouches for nothing: the alarm is raised.
    void follow()
      .catch(() => undefined)
      .then(() => setFollowing(false))
  }, [following, logKey, named])
  return { logKey, alarming: logKey.changed && !following, trust: () => setLogKey(replaceLogKey(named)) }
}
