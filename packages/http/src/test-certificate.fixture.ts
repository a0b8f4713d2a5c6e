/** A self-signed certificate of dids.example and other.example, valid from 2020 to 2120, for tests of this folder only. */
export const testCertificate = `-----BEGIN CERTIFICATE-----
MIIBeTCCAR+gAwIBAgIBATAKBggqhkjOPQQDAjAXMRUwEwYDVQQDDAxkaWRzLmV4
YW1wbGUwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBcxFTATBgNV
BAMMDGRpZHMuZXhhbXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABEdS2WJz
Y8IGJpm8+ZB3LpW5WUzuoyF075maCXUEPBiY3UkcTvO9KmZ4XsTjt7DY0wfrE7Mm
xpjwXORC1WNcSpSjWjBYMA8GA1UdEwEB/wQFMAMBAf8wJgYDVR0RBB8wHYIMZGlk
cy5leGFtcGxlgg1vdGhlci5leGFtcGxlMB0GA1UdDgQWBBTR0Zz5aIfiCjYaISR3
WnHXiPDvHDAKBggqhkjOPQQDAgNIADBFAiEA9/d2ytiFa2Z4NxowTumiTMTDIUCh
Scc/XV/RU7SZmdECIAddCTa05YWMJynvQdF+aUgezaQtcboeHoo1GFyC/9fK
-----END CERTIFICATE-----
`

/** Its key: public, as everything here, and worth nothing. */
export const testCertificateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgwrIdK95Qpoaiulx1
7q6fQH5L2VDX1vDmZ3cjuz8nAeehRANCAARHUtlic2PCBiaZvPmQdy6VuVlM7qMh
dO+Zmgl1BDwYmN1JHE7zvSpmeF7E47ew2NMH6xOzJsaY8FzkQtVjXEqU
-----END PRIVATE KEY-----
`
