import { expect, test } from 'vitest'
import { isAllowed } from './ask-city.ts'

test.each([
  'permissions',
  'permissions/perm_abcdefghijklmnopqrstuv/acceptance',
  'access-records/ar_abcdefghijklmnopqrstuv/receipt',
  'log/leaves/00ff/proof',
  'openid4vci/offers',
  '1.0/identifiers/did:webvh:QmX:127.0.0.1%253A8080:dids:abc',
])('%s is passed on', (path) => {
  expect(isAllowed(path)).toBe(true)
})

test.each([
  '',
  'oauth/token',
  'openapi.json',
  'permissionsx',
  '1.0/other',
  'openid4vci/credential',
  'permissions/../oauth/token',
  'permissions/%2e%2e/oauth/token',
  'permissions/..%2foauth',
  'permissions//evil.example',
  '/evil.example/permissions',
  'permissions\\..\\oauth',
  'permissions/a?b',
  'permissions/a#b',
  'permissions/a@evil.example',
  'permissions/%00',
])('%j is not passed on', (path) => {
  expect(isAllowed(path)).toBe(false)
})
