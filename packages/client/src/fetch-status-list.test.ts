import { expect, test } from 'vitest'
import { connectCity } from './city.ts'
import { fetchStatusList } from './verify-credential.ts'

const url = 'https://city.example'

function cityThatAnswers(status: number) {
  return connectCity({ url, fetch: async () => new Response('{}', { status }) })
}

test.each([
  ['leads nowhere in the city', 404, `${url}/credentials/status-lists/7`],
  ['is not one of the city', 400, `${url}/credentials/status-lists/x`],
  ['is none', 200, 'a list'],
])('a status list whose address %s is of no use to know a status by', async (_name, status, address) => {
  const fetched = fetchStatusList(cityThatAnswers(status), address, 'application/statuslist+jwt')
  await expect(fetched).rejects.toMatchObject({ name: 'Problem', code: 'status-unknown' })
})

test.each([429, 500, 503])('a city that answers %i says nothing of a status', async (status) => {
  const fetched = fetchStatusList(cityThatAnswers(status), `${url}/credentials/status-lists/1`, '*/*')
  await expect(fetched).rejects.toMatchObject({ name: 'CityError', status })
})
