// Started by open-test-database.ts: one throw-away server that ends, and removes its folder, when its owner has ended.

import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createPool } from '../create-pool.ts';
import { embeddedClient } from '../embedded/embedded-client.ts';
import { type EmbeddedPostgres, openEmbeddedPostgres } from '../embedded/embedded-postgres.ts';
import { embeddedLogin } from '../embedded/postgres-settings.ts';
import { isProcessAlive, type ProcessIdentity } from '../embedded/process-identity.ts';
import { applyMigrations } from '../migrations/apply-migrations.ts';
import { migrationsFolder } from '../migrations/read-migrations.ts';
import { migratedTemplate } from './open-test-database.ts';

const ownerCheckMs = 100;
const { folder, owner } = JSON.parse(process.argv[2] ?? '{}') as { folder: string; owner: ProcessIdentity };

/** Written beside and renamed, so that nobody reads half an answer. */
function answer(content: { socketFolder: string } | { failure: string }): void {
  const draft = join(folder, 'answer.draft');
  writeFileSync(draft, JSON.stringify(content));
  renameSync(draft, join(folder, 'answer.json'));
}

async function makeTemplate(socketFolder: string): Promise<void> {
  const client = embeddedClient(socketFolder, 'postgres');
  await client.connect();
  await client.query(`create database ${migratedTemplate}`);
  await client.end();
  const pool = createPool(
    { ...embeddedLogin, database: migratedTemplate, host: socketFolder, ssl: false },
    () => undefined,
  );
  try {
    await applyMigrations(pool, migrationsFolder);
  } finally {
    await pool.end();
  }
}

let server: EmbeddedPostgres | undefined;
try {
  server = await openEmbeddedPostgres(join(folder, 'data'), {
    // Nothing in it outlives the run.
    extraSettings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
  });
  await makeTemplate(server.socketFolder);
  answer({ socketFolder: server.socketFolder });
} catch (error) {
  answer({ failure: (error as Error).message });
}
while (isProcessAlive(owner)) await delay(ownerCheckMs);
await server?.close();
rmSync(folder, { recursive: true, force: true });
