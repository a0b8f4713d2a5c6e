export { createVerifier, type Verifier } from './create-verifier.ts'
export type { HostedKey, VerifierCertificate, VerifierPorts } from './ports.ts'
export type { VerifierTables } from './tables.ts'
