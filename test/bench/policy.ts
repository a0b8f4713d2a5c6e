import { decide, parseScope, preparePath, type ReadRequest, scopeWithin, verifyDelegationChain } from '@tillit/policy'
import { alternate, type Contender } from './alternate.ts'
import { cedarPeer } from './cedar-peer.ts'
import { delegationChains } from './delegation-chains.ts'
import { type Figure, figure } from './figure.ts'
import { cases, now, permissions, scope } from './policy-cases.ts'

/** Customers whose chains are verified in turn, so that no answer can be remembered from the run before. */
const customers = 64

export async function policyBench(): Promise<Figure[]> {
  return [...(await decisions(1)), ...(await decisions(10)), ...(await chainsAndScopes())]
}

async function decisions(count: number): Promise<Figure[]> {
  const permitted = permissions(count)
  const paths = permitted.map((path) => preparePath(path))
  const cedar = cedarPeer(permitted)
  for (const { request, decision } of cases) {
    const answers = [decide(request, paths, now).decision, cedar.decide(request), cedar.decidePreparsed(request)]
    if (answers.some((answer) => answer !== decision))
      throw new Error(`The engines do not agree: ${answers.join(', ')}`)
  }
  const speeds = await alternate({
    ours: asking((request) => decide(request, paths, now).decision),
    unprepared: asking((request) => {
      const prepared = permitted.map((path) => preparePath(path))
      return decide(request, prepared, now).decision
    }),
    cedar: asking(cedar.decide),
    preparsed: asking(cedar.decidePreparsed),
  })
  const name = `decide over ${count} prepared path${count === 1 ? '' : 's'}`
  const about = { bench: 'policy', value: speeds.ours, unit: 'decisions/s' }
  const policies = `Cedar over ${count} equivalent polic${count === 1 ? 'y' : 'ies'}`
  const asText = { what: `${policies} given as text (isAuthorized)`, value: speeds.cedar }
  return [
    figure({ ...about, figure: name, reference: asText }, { least: 100 }),
    figure({ ...about, figure: `${name}, preparing included`, value: speeds.unprepared, reference: asText }),
    figure({
      ...about,
      figure: `${name}, Cedar's parsed before`,
      reference: { what: `${policies} parsed before (statefulIsAuthorized)`, value: speeds.preparsed },
    }),
  ]
}

async function chainsAndScopes(): Promise<Figure[]> {
  const chains = await delegationChains(customers)
  let next = 0
  const turn = () => {
    const chain = chains[next++ % chains.length]
    if (chain === undefined) throw new Error('There are no chains')
    return chain
  }
  const wide = parseScope(scope)
  const narrow = parseScope({ ...scope, finest_granularity: 'P1D', delete_after: 'P7D' })
  const speeds = await alternate({
    chain: counting(
      () => {
        const { hops, rootKey, delegateeKey } = turn()
        return verifyDelegationChain(hops, { rootKey, now }).delegateeKey === delegateeKey
      },
      (right) => right,
    ),
    raw: counting(
      () => turn().verifyRaw(),
      (right) => right,
    ),
    within: counting(
      () => scopeWithin(narrow, wide) && !scopeWithin(wide, narrow),
      (right) => right,
    ),
  })
  return [
    figure(
      {
        ...{ bench: 'policy', figure: 'verifyDelegationChain over 2 hops', value: speeds.chain, unit: 'chains/s' },
        reference: { what: 'two Ed25519 verifications by node:crypto, keys imported before', value: speeds.raw },
      },
      { least: 0.5 },
    ),
    figure({
      ...{ bench: 'policy', figure: 'scopeWithin, once each way', value: speeds.within, unit: 'pairs/s' },
      reference: { what: 'two Ed25519 verifications, which two hops cost at least', value: speeds.raw },
    }),
  ]
}

/** Asks the cases in turn, permitted and refused ones, so that no run repeats the one before. */
function asking(engine: (request: ReadRequest) => 'permit' | 'deny'): Contender {
  let next = 0
  const turn = () => {
    const one = cases[next++ % cases.length]
    return one !== undefined && engine(one.request) === one.decision
  }
  return counting(turn, (right) => right)
}

/** Every outcome is looked at, so that none is optimised away or wrong unnoticed. */
function counting<Outcome>(run: () => Outcome, isRight: (outcome: Outcome) => boolean): Contender {
  return (times) => {
    let right = 0
    for (let i = 0; i < times; i++) if (isRight(run())) right++
    return right
  }
}
