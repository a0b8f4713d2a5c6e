export { connect, type Database, type ServiceSchema, serviceSchemas } from './connect.ts'
export { problemOfDatabaseError, retryable, sqlState, violatesUnique } from './errors.ts'
export { type Listener, listen } from './listen.ts'
export { type LocalPostgres, type LocalPostgresOptions, startLocalPostgres } from './local-postgres.ts'
export { migrate, type ServiceMigrations } from './migrate.ts'
export { addToOutbox, outboxChannel } from './outbox.ts'
export { isOpenToOthers, runsAsRoot } from './postgres-binaries.ts'
export { prepared } from './prepared-statements.ts'
export {
  administer,
  type TestDatabase,
  testDatabase,
  testServerVariable,
  testTemplateVariable,
  withDatabase,
} from './test-database.ts'
