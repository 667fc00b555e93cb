import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { embeddedClient } from '../embedded/embedded-client.ts';
import { embeddedLogin } from '../embedded/postgres-settings.ts';
import { type ProcessIdentity, processIdentity } from '../embedded/process-identity.ts';
import { connectDatabase, type Database } from '../open-database.ts';

/** The template that holds all tables of this program and no rows. */
export const migratedTemplate = 'stillpoint_migrated';

/** What a test may ask for. */
export type TestDatabaseOptions = {
  /** False for a database without our tables; true by default. */
  readonly isMigrated?: boolean;
};

const serverProgram = fileURLToPath(new URL('./test-server.ts', import.meta.url));
const serverLimitMs = 50_000;
const lookAgainMs = 20;
let databasesMade = 0;

/**
 * A new, empty database of its own for a test, dropped by `close`. All tests of a Vitest run share one server, which
 * writes without fsync; it ends and removes its folder soon after the run has ended, however that was.
 */
export async function openTestDatabase<Schema = unknown>(
  options: TestDatabaseOptions = {},
): Promise<Database<Schema>> {
  const socketFolder = await reachTestServer();
  databasesMade += 1;
  const database = `test_${process.pid}_${databasesMade}`;
  const template = options.isMigrated === false ? 'template1' : migratedTemplate;
  await administer(socketFolder, `create database ${database} template ${template}`);
  return connectDatabase<Schema>(
    { ...embeddedLogin, database, host: socketFolder, ssl: false },
    () => undefined,
    () => administer(socketFolder, `drop database ${database} with (force)`),
  );
}

async function administer(socketFolder: string, sql: string): Promise<void> {
  const client = embeddedClient(socketFolder, 'postgres');
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** The socket folder of the run's server, which the first to come starts. */
async function reachTestServer(): Promise<string> {
  const owner = findRun();
  const folder = join(tmpdir(), `stillpoint-test-${owner.pid}-${owner.startTicks}`);
  const isFirst = makeFolder(folder);
  if (isFirst) {
    const order = JSON.stringify({ folder, owner });
    spawn(process.execPath, [serverProgram, order], { detached: true, stdio: 'ignore' }).unref();
  }
  const answerPath = join(folder, 'answer.json');
  const giveUpAt = performance.now() + serverLimitMs;
  while (!existsSync(answerPath)) {
    if (performance.now() > giveUpAt) throw new Error(`no test server came up in ${folder}`);
    await delay(lookAgainMs);
  }
  const answer = JSON.parse(readFileSync(answerPath, 'utf8')) as { socketFolder?: string; failure?: string };
  if (answer.socketFolder === undefined) throw new Error(`the test server failed: ${answer.failure}`);
  return answer.socketFolder;
}

/** The process whose end is the end of the run: Vitest itself, whose workers are its children or its threads. */
function findRun(): ProcessIdentity {
  const isForkedWorker = process.env.VITEST !== undefined && isMainThread;
  const owner = processIdentity(isForkedWorker ? process.ppid : process.pid);
  if (owner === undefined) throw new Error('the process that runs the tests is gone');
  return owner;
}

function makeFolder(folder: string): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
