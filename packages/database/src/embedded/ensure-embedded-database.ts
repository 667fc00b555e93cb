import { databaseFailure } from '../database-error.ts';
import { embeddedClient } from './embedded-client.ts';
import { embeddedLogin } from './postgres-settings.ts';

/** Makes our database in a new cluster, also when an earlier program was killed between the two. */
export async function ensureEmbeddedDatabase(socketFolder: string): Promise<void> {
  const client = embeddedClient(socketFolder, 'postgres');
  try {
    await client.connect();
    const { rowCount } = await client.query('select from pg_database where datname = $1', [
      embeddedLogin.database,
    ]);
    if (rowCount === 0)
      await client.query(`create database ${client.escapeIdentifier(embeddedLogin.database)}`);
  } catch (error) {
    throw databaseFailure(
      'EMBEDDED_POSTGRES_FAILED',
      `The database ${embeddedLogin.database} was not made: ${(error as Error).message}.`,
      error,
    );
  } finally {
    await client.end().catch(() => undefined);
  }
}
