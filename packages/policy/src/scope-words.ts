import type { Scope, Tier } from '@tillit/schemas'
import { readGranularity } from './granularity.ts'
import type { Life } from './life.ts'

export type Locale = 'en' | 'nb' | 'da'

interface Units {
  second: [string, string]
  minute: [string, string]
  hour: [string, string]
  day: [string, string]
  week: [string, string]
  month: [string, string]
  year: [string, string]
}

export interface ScopeWords {
  tier: Record<Tier, string>
  product: Record<Scope['products'][number], string>
  direction: Record<Scope['directions'][number], string>
  granularity(text: string): string
  life(life: Life): string
  afterEnd(life: string): string
  atOnce: string
  notPassedOn: string
  passedOn(recipients: string): string
}

/** The words of a language: English, Norwegian Bokmål or Danish. */
export function wordsOf(locale: Locale): ScopeWords {
  return words[locale]
}

const units: Record<Locale, Units> = {
  en: {
    second: ['second', 'seconds'],
    minute: ['minute', 'minutes'],
    hour: ['hour', 'hours'],
    day: ['day', 'days'],
    week: ['week', 'weeks'],
    month: ['month', 'months'],
    year: ['year', 'years'],
  },
  nb: {
    second: ['sekund', 'sekunder'],
    minute: ['minutt', 'minutter'],
    hour: ['time', 'timer'],
    day: ['dag', 'dager'],
    week: ['uke', 'uker'],
    month: ['måned', 'måneder'],
    year: ['år', 'år'],
  },
  da: {
    second: ['sekund', 'sekunder'],
    minute: ['minut', 'minutter'],
    hour: ['time', 'timer'],
    day: ['dag', 'dage'],
    week: ['uge', 'uger'],
    month: ['måned', 'måneder'],
    year: ['år', 'år'],
  },
}

const words: Record<Locale, ScopeWords> = {
  en: {
    tier: {
      T0: 'nothing about you alone',
      T1: 'what is on your bill',
      T2: 'days away, seasons',
      T3: 'when you wake, leave, charge a car',
      T4: 'which appliances you use',
      T5: 'whether someone is at home now',
    },
    product: {
      active_energy: 'Electricity',
      reactive_energy: 'Reactive energy',
      active_power: 'Power',
      voltage: 'Voltage',
      current: 'Current',
    },
    direction: { consumption: 'what you use', production: 'what you produce' },
    granularity: (text) => `one value per ${span(text, units.en)}`,
    life: (life) => lifeWords(life, units.en),
    afterEnd: (life) => `deleted ${life} after the end`,
    atOnce: 'deleted at once at the end',
    notPassedOn: 'not passed on',
    passedOn: (recipients) => `may be passed on to ${recipients}`,
  },
  nb: {
    tier: {
      T0: 'ingenting om deg alene',
      T1: 'det som står på fakturaen',
      T2: 'dager borte, årstider',
      T3: 'når du våkner, går hjemmefra, lader bilen',
      T4: 'hvilke apparater du bruker',
      T5: 'om noen er hjemme nå',
    },
    product: {
      active_energy: 'Strøm',
      reactive_energy: 'Reaktiv energi',
      active_power: 'Effekt',
      voltage: 'Spenning',
      current: 'Strømstyrke',
    },
    direction: { consumption: 'det du bruker', production: 'det du produserer' },
    granularity: (text) => `én verdi per ${span(text, units.nb)}`,
    life: (life) => lifeWords(life, units.nb),
    afterEnd: (life) => `slettes ${life} etter at tillatelsen er slutt`,
    atOnce: 'slettes straks tillatelsen er slutt',
    notPassedOn: 'gis ikke videre',
    passedOn: (recipients) => `kan gis videre til ${recipients}`,
  },
  da: {
    tier: {
      T0: 'intet om dig alene',
      T1: 'det, der står på regningen',
      T2: 'dage væk, årstider',
      T3: 'hvornår du vågner, tager hjemmefra, lader bilen',
      T4: 'hvilke apparater du bruger',
      T5: 'om nogen er hjemme nu',
    },
    product: {
      active_energy: 'Strøm',
      reactive_energy: 'Reaktiv energi',
      active_power: 'Effekt',
      voltage: 'Spænding',
      current: 'Strømstyrke',
    },
    direction: { consumption: 'det, du bruger', production: 'det, du producerer' },
    granularity: (text) => `én værdi per ${span(text, units.da)}`,
    life: (life) => lifeWords(life, units.da),
    afterEnd: (life) => `slettes ${life} efter tilladelsens udløb`,
    atOnce: 'slettes straks ved tilladelsens udløb',
    notPassedOn: 'gives ikke videre',
    passedOn: (recipients) => `kan gives videre til ${recipients}`,
  },
}

/** "hour", "15 minutes", "2 weeks". */
function span(text: string, units: Units): string {
  const granularity = readGranularity(text)
  if (!granularity) return text
  const { seconds } = granularity
  if (text === 'P1Y') return units.year[0]
  if (text === 'P1M') return units.month[0]
  const steps: [keyof Units, number][] = [
    ['week', 604_800],
    ['day', 86_400],
    ['hour', 3600],
    ['minute', 60],
  ]
  const step = steps.find(([, length]) => seconds % length === 0) ?? (['second', 1] as const)
  const count = seconds / step[1]
  return count === 1 ? units[step[0]][0] : `${count} ${units[step[0]][1]}`
}

function lifeWords(life: Life, units: Units): string {
  const unit = life.unit === 'days' ? units.day : life.count % 12 === 0 ? units.year : units.month
  const count = life.unit === 'months' && life.count % 12 === 0 ? life.count / 12 : life.count
  return `${count} ${count === 1 ? unit[0] : unit[1]}`
}
