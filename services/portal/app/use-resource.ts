import { useCallback, useEffect, useState } from 'react'

export type Resource<T> = { state: 'loading' } | { state: 'ready'; value: T } | { state: 'failed'; error: unknown }

/** Loads once and whenever `reload` is called; what was there stays visible until the new value has come. */
export function useResource<T>(load: () => Promise<T>): [Resource<T>, () => Promise<void>] {
  const [resource, setResource] = useState<Resource<T>>({ state: 'loading' })
  const reload = useCallback(async () => {
    try {
      setResource({ state: 'ready', value: await load() })
    } catch (error) {
      setResource({ state: 'failed', error })
    }
  }, [load])
  useEffect(() => {
    void reload()
  }, [reload])
  return [resource, reload]
}
