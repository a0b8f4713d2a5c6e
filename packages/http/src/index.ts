export type { Jwks } from './access-token.ts'
export type { AuthenticationOptions } from './authenticate.ts'
export { type Caller, type CallerKind, callerOf } from './caller.ts'
export {
  bodyLimitBytes,
  createServer,
  type ReadinessCheck,
  type ServerOptions,
  type TillitServer,
} from './create-server.ts'
export type { CredentialAuthorization } from './credential-authorization.ts'
export { createForeignHosts, type ForeignHosts } from './foreign-hosts.ts'
export { createLogger, redact } from './logger.ts'
export { replyProblem } from './problem-reply.ts'
export { createTestIssuer, type TestCaller, type TestIssuer } from './test-issuer.ts'
export { createTurns, type TakeTurn, type TurnLimits } from './turns.ts'
export { createChecker } from './validators.ts'
