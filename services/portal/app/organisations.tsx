import { CityError } from '@tillit/client'
import type { Party } from '@tillit/schemas'
import { useEffect, useState } from 'react'
import { readOwn } from './city.ts'
import { errorWords } from './words.ts'

/** What the public trust registry says of a DID; `unknown` when it has never accredited it. */
export type Standing =
  | { state: 'asking' | 'unknown' }
  | { state: 'failed'; words: string }
  | { state: 'known'; name: string; active: boolean }

/** One question per DID for as long as the page is open; a question that failed is asked again by whoever comes next. */
const asked = new Map<string, Promise<Standing>>()

export function useStanding(did: string): Standing {
  const [standing, setStanding] = useState<Standing>({ state: 'asking' })
  useEffect(() => {
    let wanted = true
    void standingOf(did).then((found) => wanted && setStanding(found))
    return () => {
      wanted = false
    }
  }, [did])
  return standing
}

/** An organisation by the legal name it is accredited under, its DID below; in words when it is not accredited. */
export function OrganisationName({ did }: { did: string }) {
  return (
    <span className="organisation">
      <span className="organisation-name">{standingWords(useStanding(did))}</span>
      <span className="did">{did}</span>
    </span>
  )
}

function standingWords(standing: Standing): string {
  switch (standing.state) {
    case 'asking':
      return 'Looking up the name…'
    case 'unknown':
      return 'An organisation that the city has not accredited'
    case 'failed':
      return `Its name could not be looked up: ${standing.words}`
    case 'known':
      return standing.active ? standing.name : `${standing.name} (its accreditation is not in force)`
  }
}

function standingOf(did: string): Promise<Standing> {
  const known = asked.get(did)
  if (known !== undefined) return known
  const question = ask(did)
  asked.set(did, question)
  return question
}

async function ask(did: string): Promise<Standing> {
  try {
    const party = (await readOwn(`/trust/organisations/${encodeURIComponent(did)}`)) as Party
    return { state: 'known', name: party.name, active: party.status === 'ACTIVE' }
  } catch (error) {
    if (error instanceof CityError && error.status === 404) return { state: 'unknown' }
    asked.delete(did)
    return { state: 'failed', words: errorWords(error) }
  }
}
