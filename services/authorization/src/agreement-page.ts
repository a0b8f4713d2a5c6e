import { type CredentialType, credentialDisplay } from '@tillit/schemas'
import { escapeHtml, renderPage } from './page.ts'

const languages = ['en', 'nb', 'da'] as const
export type Language = (typeof languages)[number]

/** Norwegian without saying which is Bokmål, and whoever reads Nynorsk reads that too. */
const spoken: Readonly<Record<string, Language>> = { en: 'en', nb: 'nb', no: 'nb', nn: 'nb', da: 'da' }

interface Words {
  title: string
  asks: (wallet: string) => string
  means: string
  onlyIf: string
  agree: string
  refuse: string
  notYours: string
  back: string
}

const words: Readonly<Record<Language, Words>> = {
  en: {
    title: 'Put this in your wallet?',
    asks: (wallet) => `The wallet ${wallet} asks for:`,
    means: 'It will keep it for you, and can fetch a new one when this one runs out. Nobody sees it until you show it.',
    onlyIf: 'Agree only if you have just started this yourself, in your own wallet.',
    agree: 'Yes, put it in my wallet',
    refuse: 'No, do not',
    notYours: 'This offer was made to somebody else, so that it cannot be put in your wallet.',
    back: 'Back to the wallet',
  },
  nb: {
    title: 'Legge dette i lommeboken din?',
    asks: (wallet) => `Lommeboken ${wallet} ber om:`,
    means: 'Den oppbevarer det for deg, og kan hente et nytt når dette går ut. Ingen ser det før du viser det fram.',
    onlyIf: 'Si ja bare hvis du selv nettopp har startet dette, i din egen lommebok.',
    agree: 'Ja, legg det i lommeboken min',
    refuse: 'Nei, ikke gjør det',
    notYours: 'Dette tilbudet ble gitt til noen andre, og kan derfor ikke legges i lommeboken din.',
    back: 'Tilbake til lommeboken',
  },
  da: {
    title: 'Læg dette i din tegnebog?',
    asks: (wallet) => `Tegnebogen ${wallet} beder om:`,
    means: 'Den opbevarer det for dig og kan hente et nyt, når dette udløber. Ingen ser det, før du viser det frem.',
    onlyIf: 'Sig kun ja, hvis du selv lige har startet dette i din egen tegnebog.',
    agree: 'Ja, læg det i min tegnebog',
    refuse: 'Nej, lad være',
    notYours: 'Dette tilbud blev givet til en anden og kan derfor ikke lægges i din tegnebog.',
    back: 'Tilbage til tegnebogen',
  },
}

/** The first language of a list that the pages speak: `ui_locales` with spaces, Accept-Language with commas and weights. */
export function languageOf(...lists: (string | undefined)[]): Language {
  for (const tag of lists.flatMap((list) => (list ?? '').toLowerCase().split(/[\s,]+/))) {
    const language = spoken[tag.split(/[-;]/)[0] ?? '']
    if (language) return language
  }
  return 'en'
}

export interface Agreement {
  /** The wallet's name as the city knows it. */
  wallet: string
  types: readonly CredentialType[]
  language: Language
  /** Whether the offer, if there is one, is for who is signed in. */
  isForPerson: boolean
  action: string
}

/** The page on which a person agrees, in plain words, to putting credentials in a wallet. */
export function agreementPage({ wallet, types, language, isForPerson, action }: Agreement): string {
  const { title, ...text } = words[language]
  const credentials = types.map((type) => {
    const { name, description } = credentialDisplay.types[type]
    return `<li><strong>${escapeHtml(name[language])}</strong> ${escapeHtml(description[language])}</li>`
  })
  const question = isForPerson
    ? `<p>${escapeHtml(text.asks(wallet))}</p>
<ul>${credentials.join('\n')}</ul>
<p>${escapeHtml(text.means)}</p>
<p class="notice">${escapeHtml(text.onlyIf)}</p>`
    : `<p class="notice">${escapeHtml(text.notYours)}</p>`
  const agree = `<button type="submit" name="agree" value="yes">${escapeHtml(text.agree)}</button>\n`
  return renderPage(
    title,
    `${question}
<form method="post" action="${escapeHtml(action)}">
${isForPerson ? agree : ''}<button type="submit" name="refuse" value="yes">${escapeHtml(isForPerson ? text.refuse : text.back)}</button>
</form>`,
    language,
  )
}
