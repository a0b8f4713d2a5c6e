import { useCallback, useEffect, useId, useRef, useState } from 'react'
import { ActionButton } from './action-button.tsx'
import { Announcement, useAnnounce } from './announcer.tsx'
import { Facts } from './facts.tsx'
import { OrganisationName } from './organisations.tsx'
import { sdJwtClaims } from './sd-jwt-claims.ts'
import { Loaded } from './section.tsx'
import { useResource } from './use-resource.ts'
import type { Wallet } from './wallet.ts'
import { findCredentials, type StoredCredential } from './wallet-store.ts'
import { day, errorWords } from './words.ts'

/** What the wallet in this browser holds. The entitlement comes by itself on the first sign-in, and again when asked for. */
export function Credentials({ customer, wallet }: { customer: string; wallet: Wallet | null }) {
  const [held, reload] = useResource(useCallback(() => findCredentials(customer), [customer]))
  const announce = useAnnounce()
  const [busy, setBusy] = useState(false)
  const tried = useRef(false)
  const receive = useCallback(async () => {
    if (wallet === null) return
    setBusy(true)
    try {
      await wallet.receiveEntitlement()
      announce('wallet', 'The proof that this meter is yours is now in your wallet.')
      await reload()
    } catch (error) {
      announce('wallet', errorWords(error), 'failed')
    } finally {
      setBusy(false)
    }
  }, [wallet, announce, reload])
  const empty = held.state === 'ready' && held.value.length === 0
  useEffect(() => {
    if (!empty || wallet === null || tried.current) return
    tried.current = true
    void receive()
  }, [empty, wallet, receive])
  return (
    <>
      <h3 id="wallet" tabIndex={-1}>
        Your wallet
      </h3>
      <Announcement place="wallet" />
      <Loaded resource={held} reload={reload}>
        {(credentials) => (
          <>
            {credentials.map((credential) => (
              <Credential key={credential.type} credential={credential} />
            ))}
            {credentials.length === 0 && (
              <p className="muted">
                Your wallet holds no proof that the meter is yours. Get it from your grid company; it stays in this
                browser.
              </p>
            )}
            <ActionButton busy={busy || wallet === null} onClick={receive}>
              {credentials.length === 0 ? 'Get the proof' : 'Get it anew'}
            </ActionButton>
          </>
        )}
      </Loaded>
    </>
  )
}

function Credential({ credential }: { credential: StoredCredential }) {
  const claims = sdJwtClaims(credential.credential)
  const { gsrn, role, from, iss } = claims
  const id = useId()
  return (
    <article className="card" aria-labelledby={id}>
      <h4 id={id}>Metering point entitlement</h4>
      <Facts
        facts={[
          ['Meter', text(gsrn)],
          ['You are its', text(role)],
          ['Since', typeof from === 'string' ? day(from) : ''],
          ['Issued by', typeof iss === 'string' ? <OrganisationName key="issuer" did={iss} /> : ''],
          ['Received', day(credential.received_at)],
        ]}
      />
    </article>
  )
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
