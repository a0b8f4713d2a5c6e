import { signerFromJwk } from '@tillit/keys'
import type { VerifierCertificate } from '../src/index.ts'

/** The anchor of trust, and what it certified for verifier.test, on P-256 and valid until 2126; for tests only. */
export const trustAnchor =
  'MIIBgzCCASmgAwIBAgIUNH4+xQUbBWT7S4CljC3UZ5rhhwowCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLVGVzdCBhbmNob3IwIBcNMjYxMTIzMDI0OTQyWhgPMjEyNjEwMzAwMjQ5NDJaMBYxFDASBgNVBAMMC1Rlc3QgYW5jaG9yMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAETVG3X6DmkZ8nxKjSGN1QpUjPUgJPREzythF/38zTFQ/CtrwzMyJyE/AIxUnAo5Ewzfd0ZSCK5LJokT28UtwnwqNTMFEwHQYDVR0OBBYEFEmfBxr7+8uRkLI3daB9rRgZxOwaMB8GA1UdIwQYMBaAFEmfBxr7+8uRkLI3daB9rRgZxOwaMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIhAOYiMKqI8UfEQJ1yLqeG1r9jElNtwZZNyj2je46DdbDxAiBtcrcZ8jQZq6K3PefN0OQIF75Pr6lo795W3vSxEcGrvQ=='

export const leafCertificate =
  'MIIBpTCCAUygAwIBAgIUXOAmtlhktOsIjuRMvrFxbX4grywwCgYIKoZIzj0EAwIwFjEUMBIGA1UEAwwLVGVzdCBhbmNob3IwIBcNMjYxMTIzMDI0OTQyWhgPMjEyNjEwMzAwMjQ5NDJaMBgxFjAUBgNVBAMMDXZlcmlmaWVyLnRlc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAARucxytVfakK9aqepwobAas/gD512aUClwrxUs7Mtvy1oWuwJ4UXiZmir/92N9ptrbpHniUJAm57z4xdK20L630o3QwcjAJBgNVHRMEAjAAMAsGA1UdDwQEAwIHgDAYBgNVHREEETAPgg12ZXJpZmllci50ZXN0MB0GA1UdDgQWBBSVZU1Wvw5CnVNkvKZmv1cSyVUOXzAfBgNVHSMEGDAWgBRJnwca+/vLkZCyN3Wgfa0YGcTsGjAKBggqhkjOPQQDAgNHADBEAiAe70RXf76yAVmsIkbfXb/Jka6+CjF98ykwBAEW+F0o7AIgX6qz8X8qWcFFhNfE4lS6eacRVGqJf2M2a4BpjFoIXzA='

export const leafPrivateJwk = {
  kty: 'EC',
  crv: 'P-256',
  x: 'bnMcrVX2pCvWqnqcKGwGrP4A-ddmlApcK8VLOzLb8tY',
  y: 'ha7AnhReJmaKv_3Y32m2tukeeJQkCbnvPjF0rbQvrfQ',
  d: '5_o2TvCU9OCMV1fvzqETUrSJyt1nXKPWjuzBuCAIsGM',
} as const

export async function testCertificate(): Promise<VerifierCertificate> {
  return { signer: await signerFromJwk(leafPrivateJwk), chain: [leafCertificate] }
}
