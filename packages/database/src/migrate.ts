import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { Problem } from '@tillit/problem'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import pg from 'pg'
import { administer } from './administer.ts'
import { connectTimeoutMilliseconds, roleOf, type ServiceSchema, serviceSchemas } from './connect.ts'

export interface ServiceMigrations {
  schema: ServiceSchema
  /** Folder of `NNNN_name.sql` files, applied in order of name, forward only. */
  folder: string
}

/** Lets one process at a time create roles and schemas; the number is ours alone. */
const migrationLock = 7_417_001

/**
 * Brings the database of `url` to the newest schema: for each service its role, schema and outbox, then its own files, then
 * grants. Idempotent and safe to run from several processes at once. The user of `url` needs to be allowed to create roles
 * and schemas. Throws Problem invalid-configuration when it may not, and, before anything is changed, for a database that a
 * newer version has migrated.
 */
export async function migrate(url: string, services: ServiceMigrations[]): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 2, connectionTimeoutMillis: connectTimeoutMilliseconds })
  pool.on('error', () => undefined) // the query that needs the connection reports it
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) })
  try {
    for (const service of services) await refuseNewer(db, service)
    await db.connection().execute(async (connection) => {
      await sql`SELECT pg_advisory_lock(${migrationLock})`.execute(connection)
      try {
        await createRoles(connection)
        for (const service of services) await createSchema(connection, service.schema)
      } finally {
        await sql`SELECT pg_advisory_unlock(${migrationLock})`.execute(connection)
      }
    })
    for (const service of services) await runFiles(db, service)
    for (const service of services) await grantOwnTables(db, service.schema)
  } catch (error) {
    if (error instanceof pg.DatabaseError && error.code === '42501') {
      throw new Problem('invalid-configuration', {
        detail: `The database user may not create roles or schemas: ${error.message}. Run infra/postgres/roles.sql as an administrator, or give DATABASE_URL a user who may.`,
        cause: error,
      })
    }
    throw error
  } finally {
    await db.destroy()
  }
}

/** What an older version does not know of, it would write wrongly. */
async function refuseNewer(db: Kysely<unknown>, { schema, folder }: ServiceMigrations): Promise<void> {
  const { rows: tables } = await sql`SELECT WHERE to_regclass(${`${schema}.migration`}) IS NOT NULL`.execute(db)
  if (tables.length === 0) return
  const { rows } = await sql<{
    name: string
  }>`SELECT name FROM ${sql.table(`${schema}.migration`)} ORDER BY name`.execute(db)
  const known = await readMigrations(folder)
  const unknown = rows.map(({ name }) => name).filter((name) => !(name in known))
  if (unknown.length > 0)
    throw new Problem('invalid-configuration', {
      detail: `The database was migrated by a newer version of Tillit: this one does not know ${unknown.join(', ')} of ${schema}. Run that version, or this one with a copy of the database from before.`,
    })
}

async function createRoles(db: Kysely<unknown>): Promise<void> {
  for (const schema of serviceSchemas) {
    const role = roleOf(schema)
    // Roles belong to the whole cluster, so another database's migration may create one at the same moment.
    await sql
      .raw(`DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '${role}') THEN
          BEGIN CREATE ROLE ${role} NOLOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END;
        END IF;
        IF NOT pg_has_role(current_user, '${role}', 'MEMBER') THEN EXECUTE 'GRANT ${role} TO ' || quote_ident(current_user); END IF;
      END $$`)
      .execute(db)
  }
}

async function createSchema(db: Kysely<unknown>, schema: ServiceSchema): Promise<void> {
  await sql
    .raw(`
      CREATE SCHEMA IF NOT EXISTS "${schema}";
      GRANT USAGE ON SCHEMA "${schema}" TO tillit_registry, tillit_credentials, tillit_authorization, tillit_permissions, tillit_metering, tillit_portal, tillit_verifier;
      CREATE TABLE IF NOT EXISTS "${schema}".outbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        kind text NOT NULL,
        commitment bytea NOT NULL CHECK (length(commitment) = 32),
        created_at timestamptz NOT NULL DEFAULT now()
      );
      GRANT SELECT, DELETE ON "${schema}".outbox TO tillit_registry;`)
    .execute(db)
}

async function runFiles(db: Kysely<unknown>, service: ServiceMigrations): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => readMigrations(service.folder) },
    migrationTableSchema: service.schema,
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  })
  const { error } = await migrator.migrateToLatest()
  if (error !== undefined) throw error
}

async function readMigrations(folder: string): Promise<Record<string, Migration>> {
  const files = (await readdir(folder)).filter((file) => file.endsWith('.sql')).sort()
  const migrations: Record<string, Migration> = {}
  for (const file of files) {
    const text = await readFile(join(folder, file), 'utf8')
    migrations[basename(file, '.sql')] = { up: async (db) => void (await sql.raw(text).execute(db)) }
  }
  return migrations
}

/**
 * Lets the services' roles log in, for a server that only the city can reach: each pool then is its role from the start, and
 * nothing that runs in it can become another. Elsewhere the pools change from one login to their role.
 */
export async function allowLogins(url: string): Promise<void> {
  for (const schema of serviceSchemas) await administer(url, `ALTER ROLE ${roleOf(schema)} LOGIN`)
}

/** Tables and sequences only: what a service publishes to others are views, granted by its migrations. */
async function grantOwnTables(db: Kysely<unknown>, schema: ServiceSchema): Promise<void> {
  const role = roleOf(schema)
  await sql
    .raw(`
      GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA "${schema}" TO ${role};
      GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA "${schema}" TO ${role};
      REVOKE ALL ON "${schema}".migration, "${schema}".migration_lock FROM ${role};`)
    .execute(db)
}
