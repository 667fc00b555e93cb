import { copyFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { makeTestDataDirectory, type TestDataDirectory } from '@stillpoint/database/testing/data-directory';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type StartedProgram, startProgram } from './testing/start-program.ts';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));

let room: TestDataDirectory;
let database: Database<unknown>;
const servers: StartedProgram[] = [];

beforeAll(async () => {
  room = makeTestDataDirectory();
  database = await openTestDatabase({ isMigrated: false });
});

afterAll(async () => {
  for (const { child } of servers) child.kill('SIGKILL');
  await Promise.all(servers.map(({ ended }) => ended));
  await database.close();
  await room.dispose();
});

/** The real program on a PostgreSQL that is not its own. */
function start(data: string, name: string): StartedProgram {
  const { host = '', database: at, user } = database.connectionOptions as unknown as Record<string, string>;
  const server = startProgram(
    program,
    ['--data', join(room.path, data), '--port', '0', '--log-level', 'error'],
    {
      DATABASE_URL: `postgresql:///${at}?host=${encodeURIComponent(host)}&user=${user}`,
      STILLPOINT_SECRET_KEY: Buffer.alloc(32, 3).toString('base64'),
      STILLPOINT_NODE_NAME: name,
    },
  );
  servers.push(server);
  return server;
}

/** The same with a PostgreSQL of its own. */
function startEmbedded(data: string): StartedProgram {
  const server = startProgram(program, ['--data', join(room.path, data), '--port', '0'], {});
  servers.push(server);
  return server;
}

it('a second server on the data directory of one that uses an external database is refused with its pid', async () => {
  const first = start('one', 'first');
  await first.served;
  const { code, out, error } = await start('one', 'second').ended;
  expect([code, out]).toEqual([4, '']);
  expect(error).toContain(`Process ${first.child.pid} holds ${join(room.path, 'one', 'server.lock')}.`);
  expect(error).toContain('Stop that process, or choose another data directory.');
  expect(first.child.exitCode).toBe(null);
  const embedded = await startEmbedded('one').ended;
  expect(embedded.code).toBe(4);
  expect(embedded.error).toContain(`Process ${first.child.pid} holds`);
  // On a data directory of its own it is a node like the first.
  expect(await start('two', 'second').served).toContain('Stillpoint serves at');
});

it('a server whose data directory was copied ends as soon as the copy is started, and says which process that is', async () => {
  const first = start('original', 'original');
  await first.served;
  mkdirSync(join(room.path, 'copy'));
  copyFileSync(join(room.path, 'original', 'node-id'), join(room.path, 'copy', 'node-id'));
  const copy = start('copy', 'copy');
  await copy.served;
  const { code, error } = await first.ended;
  expect(code).toBe(4);
  expect(error).toContain(
    `Another server, process ${copy.child.pid}, was started with the identity of this node`,
  );
  expect(error).toContain('remove the file node-id from the copy');
  expect(copy.child.exitCode).toBe(null);
});
