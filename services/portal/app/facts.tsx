import type { ReactElement } from 'react'

/** A name and what it is: words, several lines of words, or something shown in a way of its own. */
export type Fact = [string, string | string[] | ReactElement]

/** Names and what they are, as a description list; a fact with no words is left out. */
export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl className="facts">
      {facts
        .filter(([, words]) => !(typeof words === 'string' || Array.isArray(words)) || words.length > 0)
        .map(([name, words]) => (
          <div key={name}>
            <dt>{name}</dt>
            {typeof words === 'string' || Array.isArray(words) ? (
              [words].flat().map((text) => <dd key={text}>{text}</dd>)
            ) : (
              <dd>{words}</dd>
            )}
          </div>
        ))}
    </dl>
  )
}
