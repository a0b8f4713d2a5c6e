import type { CredentialDescription } from '@tillit/client'
import { useCallback, useEffect, useId, useRef, useState } from 'react'
import { ActionButton } from './action-button.tsx'
import { Announcement, useAnnounce } from './announcer.tsx'
import { AnotherWallet } from './another-wallet.tsx'
import { Facts } from './facts.tsx'
import { OrganisationName } from './organisations.tsx'
import { Loaded } from './section.tsx'
import { useResource } from './use-resource.ts'
import { listCredentials, type Wallet } from './wallet.ts'
import { day, errorWords } from './words.ts'

/** What the wallet in this browser holds. The entitlement comes by itself on the first sign-in, and again when asked for. */
export function Credentials({ customer, wallet }: { customer: string; wallet: Wallet | null }) {
  const [held, reload] = useResource(useCallback(() => listCredentials(customer), [customer]))
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
              <Credential key={credential.held.id} credential={credential} />
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
      <AnotherWallet customer={customer} meteringPoint={held.state === 'ready' ? pointOf(held.value) : undefined} />
    </>
  )
}

/** The metering point that the wallet here holds a proof of, when it is one. */
function pointOf(held: readonly CredentialDescription[]): string | undefined {
  const [point, ...more] = new Set(held.map(({ claims }) => claims.metering_point))
  return typeof point === 'string' && more.length === 0 ? point : undefined
}

function Credential({ credential: { claims, issuer, held } }: { credential: CredentialDescription }) {
  const { gsrn, role, from } = claims
  const id = useId()
  return (
    <article className="card" aria-labelledby={id}>
      <h4 id={id}>Metering point entitlement</h4>
      <Facts
        facts={[
          ['Meter', text(gsrn)],
          ['You are its', text(role)],
          ['Since', typeof from === 'string' ? day(from) : ''],
          ['Issued by', <OrganisationName key="issuer" did={issuer} />],
          ['Received', day(held.receivedAt)],
        ]}
      />
    </article>
  )
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}
