import { useCallback } from 'react'
import { Announcement, Announcer } from './announcer.tsx'
import { goToSignIn, readAuthority, readSession } from './city.ts'
import { Header } from './header.tsx'
import { Home } from './home.tsx'
import { Loaded } from './section.tsx'
import { useResource } from './use-resource.ts'

/** The citizen's page. */
export function Page() {
  const [opened, reload] = useResource(
    useCallback(async () => {
      const [session, authority] = await Promise.all([readSession(), readAuthority()])
      return { session, authority }
    }, []),
  )
  const customer = opened.state === 'ready' ? opened.value.session.customer : null
  return (
    <Announcer>
      <a className="skip" href="#content">
        Skip to the content
      </a>
      <Header signedIn={customer !== null} />
      <main id="content" tabIndex={-1}>
        <Announcement place="content" />
        <Loaded resource={opened} reload={reload}>
          {({ authority }) => (customer === null ? <Welcome /> : <Home customer={customer} authority={authority} />)}
        </Loaded>
      </main>
      <footer>
        <p>
          Tillit keeps a record of every time your meter data is asked for, and you can check each record yourself, in
          this browser, against a public log; with a receipt also against the ledger.
        </p>
      </footer>
    </Announcer>
  )
}

function Welcome() {
  const failed = new URLSearchParams(location.search).get('sign-in') === 'failed'
  return (
    <div className="welcome">
      <h1>Your meter, your decision</h1>
      <p className="lead">
        See who asks for your electricity data, decide how much each of them may know, stop it whenever you want, and
        prove afterwards who read what.
      </p>
      {failed && (
        <div className="problem" role="alert">
          <p>The sign-in did not succeed, or was cancelled. Nothing has changed. Try again.</p>
        </div>
      )}
      <button type="button" className="primary" onClick={goToSignIn}>
        Sign in
      </button>
      <ul className="promises">
        <li>Whoever needs your permission gets nothing before you have said yes.</li>
        <li>Your yes is signed by a key that is made in this browser and never leaves it.</li>
        <li>You can always give less than was asked, and stopping takes no more steps than starting.</li>
      </ul>
    </div>
  )
}
