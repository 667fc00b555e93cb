import { setTimeout as delay } from 'node:timers/promises';
import { Kysely, PostgresDialect } from 'kysely';
import type { Pool } from 'pg';
import { createPool } from './create-pool.ts';
import type { DatabaseEvent } from './database-event.ts';
import { openEmbeddedPostgres } from './embedded/embedded-postgres.ts';
import { embeddedLogin } from './embedded/postgres-settings.ts';
import { checkExternalDatabase } from './external-database.ts';
import { applyMigrations, type MigrationReport } from './migrations/apply-migrations.ts';
import { migrationsFolder } from './migrations/read-migrations.ts';

const closeLimitMs = 5_000;

/**
 * A program that is frozen or cut off in the middle of a transaction keeps what it has locked for as long as its connection
 * seems to be there, which is hours; nobody who takes its work over shall wait longer than for its claims.
 */
const transactionSilenceMs = 8_000;

/** Where the data is: an embedded server in a folder of ours, or any PostgreSQL >= 15 at an address. */
export type DatabaseTarget = { readonly dataDirectory: string } | { readonly url: string };

/** What a second client library needs to connect to the same database. */
export type ConnectionOptions =
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly database: string;
      readonly ssl: false;
    }
  | { readonly connectionString: string };

/** Who listens to the events of an open database. */
export type DatabaseOptions = { readonly onEvent?: (event: DatabaseEvent) => void };

/** An open database. `Schema` is the Kysely description of its tables. */
export type Database<Schema> = {
  readonly kysely: Kysely<Schema>;
  readonly pool: Pool;
  /** For pg-boss and the like; may hold a password, so never log it. */
  readonly connectionOptions: ConnectionOptions;
  /** Brings the tables up to this program; throws `DatabaseError` (MIGRATION_…, DATABASE_NEWER_THAN_PROGRAM). */
  migrate(): Promise<MigrationReport>;
  /** Ends all connections, waiting 5 s at most for those in use, and stops the embedded server; may be called more than once. */
  close(): Promise<void>;
};

/**
 * Opens the database and makes sure that it answers; throws `DatabaseError` with a code of `databaseCatalogue` and
 * then leaves nothing running. The tables are not touched before `migrate`.
 */
export async function openDatabase<Schema = unknown>(
  target: DatabaseTarget,
  options: DatabaseOptions = {},
): Promise<Database<Schema>> {
  const { onEvent = () => undefined } = options;
  if ('url' in target) {
    await checkExternalDatabase(target.url);
    const stopNothing = async (): Promise<void> => undefined;
    return connectDatabase({ connectionString: target.url }, onEvent, stopNothing, transactionSilenceMs);
  }
  const server = await openEmbeddedPostgres(target.dataDirectory, { onEvent });
  return connectDatabase({ ...embeddedLogin, host: server.socketFolder, ssl: false }, onEvent, () =>
    server.close(),
  );
}

/** Puts the pool and Kysely on a database that is known to answer; `stopServer` is called last at closing. */
export function connectDatabase<Schema>(
  connectionOptions: ConnectionOptions,
  onEvent: (event: DatabaseEvent) => void,
  stopServer: () => Promise<void>,
  silenceMs = 0,
): Database<Schema> {
  const onIdleLoss = ({ message }: Error): void => onEvent({ kind: 'idleConnectionLost', detail: message });
  const pool = createPool(connectionOptions, onIdleLoss, silenceMs);
  const kysely = new Kysely<Schema>({ dialect: new PostgresDialect({ pool }) });
  let closed: Promise<void> | undefined;
  return {
    kysely,
    pool,
    connectionOptions,
    migrate: () => applyMigrations(pool, migrationsFolder),
    close() {
      closed ??= closeInOrder(pool, stopServer);
      return closed;
    },
  };
}

async function closeInOrder(pool: Pool, stopServer: () => Promise<void>): Promise<void> {
  const patience = new AbortController();
  try {
    // A statement that hangs keeps its connection; it must not keep the program from stopping.
    const tooLong = delay(closeLimitMs, undefined, { signal: patience.signal }).catch(() => undefined);
    await Promise.race([pool.end(), tooLong]);
  } finally {
    patience.abort();
    await stopServer();
  }
}
