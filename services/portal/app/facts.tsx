/** Names and what they are, as a description list; a fact with no words is left out. */
export function Facts({ facts }: { facts: [string, string | string[]][] }) {
  return (
    <dl className="facts">
      {facts
        .filter(([, words]) => words.length > 0)
        .map(([name, words]) => (
          <div key={name}>
            <dt>{name}</dt>
            {[words].flat().map((text) => (
              <dd key={text}>{text}</dd>
            ))}
          </div>
        ))}
    </dl>
  )
}
