import { type Purpose, type PurposeCatalogue, purposeCatalogue, type Scope } from '@tillit/schemas'

type PurposeChoice = Scope['purpose'][number]

/** Deepest chain of parents followed, so that a cycle in an operator's catalogue cannot hang a decision. */
const maxDepth = 16

export function findPurpose(code: string, catalogue: PurposeCatalogue = purposeCatalogue): Purpose | undefined {
  return catalogue.purposes.find((purpose) => purpose.code === code)
}

/** Whether a purpose is another one or lies below it. Who may use data for a purpose may use it for those below it. */
export function purposeIncluded(code: string, above: string, catalogue: PurposeCatalogue = purposeCatalogue): boolean {
  let at: string | null = code
  for (let depth = 0; at !== null && depth < maxDepth; depth++) {
    if (at === above) return true
    at = findPurpose(at, catalogue)?.parent ?? null
  }
  return false
}

/** `required` is ordered too: what the wider one leaves optional, the narrower one may not demand. */
export function choiceWithin(a: PurposeChoice, b: PurposeChoice, catalogue: PurposeCatalogue): boolean {
  return (b.required || !a.required) && purposeIncluded(a.code, b.code, catalogue)
}

/** The choices that no other one includes, sorted: the one form for all lists that allow the same. */
export function canonicalChoices(choices: readonly PurposeChoice[], catalogue: PurposeCatalogue): PurposeChoice[] {
  const unique = choices.filter((choice, index) => !choices.slice(0, index).some((other) => sameChoice(choice, other)))
  return unique
    .filter((choice) => !unique.some((other) => !sameChoice(choice, other) && choiceWithin(choice, other, catalogue)))
    .map(({ code, required }) => ({ code, required }))
    .sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : Number(a.required) - Number(b.required)))
}

/** What both lists allow. */
export function commonChoices(
  a: readonly PurposeChoice[],
  b: readonly PurposeChoice[],
  catalogue: PurposeCatalogue,
): PurposeChoice[] {
  const common: PurposeChoice[] = []
  for (const one of a) {
    for (const other of b) {
      const deeper = purposeIncluded(one.code, other.code, catalogue)
        ? one.code
        : purposeIncluded(other.code, one.code, catalogue)
          ? other.code
          : null
      if (deeper !== null) common.push({ code: deeper, required: one.required && other.required })
    }
  }
  return canonicalChoices(common, catalogue)
}

function sameChoice(a: PurposeChoice, b: PurposeChoice): boolean {
  return a.code === b.code && a.required === b.required
}
