import type { PrivateJwk } from '@tillit/keys'

/** A self-signed certificate of a wallet provider, valid for a hundred years, as `x5c` holds it; for tests of this folder only. */
export const providerCertificate = [
  'MIIBlDCCATugAwIBAgIUObO8GHBJleS+NPXuIiMDj7VtNngwCgYIKoZIzj0EAwIwHzEdMBsGA1UEAwwUVGVzdCB3YWxsZXQgcHJvdmlk',
  'ZXIwIBcNMjYxMTIzMDI0NjIwWhgPMjEyNjEwMzAwMjQ2MjBaMB8xHTAbBgNVBAMMFFRlc3Qgd2FsbGV0IHByb3ZpZGVyMFkwEwYHKoZI',
  'zj0CAQYIKoZIzj0DAQcDQgAE2erW8MQDv+MFSvdqqh2MmbrJx0TaK9sY9SZCw7T2YbiyxXawkqKf/KdDP+Pa0Qt+J0p9OKq4IdYUbRXq',
  'jNvb8qNTMFEwHQYDVR0OBBYEFJKivXStneohrnLd8UpipwDZBDrTMB8GA1UdIwQYMBaAFJKivXStneohrnLd8UpipwDZBDrTMA8GA1Ud',
  'EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgNeTy+AKhd9Q//QPIoyrIooaEYwhg6GA97PGEErxfqjMCIE1kMpyQsTU5ERflHr1I',
  '0EXvPLCzW2I2xgiB92gKkOa9',
].join('')

/** Its key: public, as everything here, and worth nothing. */
export const providerCertificateKey: PrivateJwk = {
  kty: 'EC',
  crv: 'P-256',
  x: '2erW8MQDv-MFSvdqqh2MmbrJx0TaK9sY9SZCw7T2Ybg',
  y: 'ssV2sJKin_ynQz_j2tELfidKfTiquCHWFG0V6ozb2_I',
  d: 'gzcYBUUO1EzKJb27dFWIbfs5AXRoq8aAkdRsv5VrsHU',
}
