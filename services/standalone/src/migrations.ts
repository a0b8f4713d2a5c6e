import { fileURLToPath } from 'node:url'
import { type ServiceMigrations, serviceSchemas } from '@tillit/database'

/** The migrations of every service, each in its own folder. */
export const migrations: ServiceMigrations[] = serviceSchemas.map((schema) => ({
  schema,
  folder: fileURLToPath(new URL(`../../${schema}/migrations/`, import.meta.url)),
}))
