import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import type { DatabaseEvent } from '../database-event.ts';
import { type Database, openDatabase } from '../open-database.ts';
import { makeSeededDirectories, type SeededDirectories } from '../testing/make-seeded-directories.ts';
import { pretendServer } from '../testing/pretend-server.ts';
import { serveInChild } from '../testing/serve-in-child.ts';
import { processIdentity } from './process-identity.ts';

let directories: SeededDirectories;
beforeAll(async () => {
  directories = await makeSeededDirectories();
});
afterAll(() => directories.dispose());

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

type Started = Extract<DatabaseEvent, { kind: 'postgresStarted' }>;

async function open(
  dataDirectory: string,
): Promise<{ database: Database<unknown>; started: Started | undefined }> {
  let started: Started | undefined;
  const database = await openDatabase(
    { dataDirectory },
    {
      onEvent(event) {
        if (event.kind === 'postgresStarted') started = event;
      },
    },
  );
  closers.push(() => database.close());
  return { database, started };
}

/** What a server that is gone leaves behind, with the process number of somebody else. */
function leavePostmasterFile(
  dataDirectory: string,
  pid: number,
  socketFolder = join(dataDirectory, 'postgres/socket'),
) {
  const cluster = join(dataDirectory, 'postgres/cluster');
  const lines = [pid, cluster, 1, 5432, socketFolder, '', '  12345  6', 'ready   ', ''];
  writeFileSync(join(cluster, 'postmaster.pid'), lines.join('\n'));
}

test('the server of a killed program is adopted, not started a second time', async () => {
  const path = directories.next();
  const killed = await serveInChild(path);
  await killed.kill();
  const { database, started } = await open(path);
  expect(started).toMatchObject({ pid: killed.postgresPid, isAdopted: true });
  expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
  await database.close();
  expect(processIdentity(killed.postgresPid)).toBeUndefined();
  expect(existsSync(join(path, 'postgres/owner.lock'))).toBe(false);
  console.log(`adopted in ${Math.round(started?.durationMs ?? 0)} ms`);
});

test('a program that has nothing but an adopted server waits for the end of it', async () => {
  const path = directories.next();
  const killed = await serveInChild(path);
  await killed.kill();
  const adopter = await serveInChild(path);
  expect(adopter.postgresPid).toBe(killed.postgresPid);
  expect(await adopter.close()).toBe(0);
  expect(processIdentity(killed.postgresPid)).toBeUndefined();
  expect(existsSync(join(path, 'postgres/owner.lock'))).toBe(false);
});

test('an adopted server that dies is restarted like any other', async () => {
  const path = directories.next();
  const killed = await serveInChild(path);
  await killed.kill();
  const restarted = Promise.withResolvers<DatabaseEvent>();
  const database = await openDatabase(
    { dataDirectory: path },
    {
      onEvent(event) {
        if (event.kind === 'postgresRestarted') restarted.resolve(event);
      },
    },
  );
  closers.push(() => database.close());
  process.kill(killed.postgresPid, 'SIGKILL');
  expect(await restarted.promise).toMatchObject({ isAdopted: false });
  expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a program and a server that were both killed leave nothing that keeps the next from starting', async () => {
  const path = directories.next();
  const killed = await serveInChild(path);
  process.kill(killed.postgresPid, 'SIGKILL');
  await killed.kill();
  const { started } = await open(path);
  expect(started?.pid).not.toBe(killed.postgresPid);
});

test('a server that is just stopping is waited for', async () => {
  const path = directories.next();
  const killed = await serveInChild(path);
  await killed.kill();
  process.kill(killed.postgresPid, 'SIGINT');
  const { database } = await open(path);
  expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a stranger with the number of a server that is gone is left alone', async () => {
  const path = directories.next();
  leavePostmasterFile(path, process.pid);
  const { started } = await open(path);
  expect(started?.isAdopted).toBe(false);
});

test('a zombie is not a server', async () => {
  const path = directories.next();
  // The child ends after another program, which never asks for it, has replaced the shell.
  const parent = spawn('sh', ['-c', 'read -r _ <&3 & echo $!; exec sleep 1000'], {
    stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
  });
  closers.push(async () => {
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  });
  const [line] = await once(parent.stdout as Readable, 'data');
  const zombie = Number(String(line).trim());
  await expect.poll(() => readFileSync(`/proc/${parent.pid}/comm`, 'utf8')).toBe('sleep\n');
  parent.stdio[3]?.destroy();
  await expect.poll(() => readFileSync(`/proc/${zombie}/stat`, 'utf8')).toMatch(/\) Z /);
  leavePostmasterFile(path, zombie);
  const { started } = await open(path);
  expect(started?.isAdopted).toBe(false);
});

test('a process that looks like the server, but works elsewhere, is a refusal', async () => {
  const path = directories.next();
  const cluster = join(path, 'postgres/cluster');
  const pretender = spawn(process.execPath, ['-e', 'process.stdin.resume()', '--', '-D', cluster], {
    argv0: 'postgres',
    cwd: '/',
  });
  closers.push(async () => {
    pretender.kill('SIGKILL');
    await once(pretender, 'exit');
  });
  await once(pretender, 'spawn');
  leavePostmasterFile(path, pretender.pid as number);
  await expect(open(path)).rejects.toMatchObject({
    fault: { code: 'DATA_DIRECTORY_IN_USE', detail: expect.stringContaining(`Process ${pretender.pid} `) },
  });
  expect(existsSync(join(path, 'postgres/owner.lock'))).toBe(false);
});

/** A process that /proc shows as the server of this cluster; what answers at its socket is another matter. */
async function pretendPostmaster(cluster: string): Promise<number> {
  const pretender = spawn(process.execPath, ['-e', 'process.stdin.resume()', '--', '-D', cluster], {
    argv0: 'postgres',
    cwd: cluster,
  });
  const exited = once(pretender, 'exit');
  closers.push(async () => {
    pretender.kill('SIGKILL');
    await exited;
  });
  await once(pretender, 'spawn');
  return pretender.pid as number;
}

test('a server that works on another cluster is not adopted, whatever its process looks like', async () => {
  const [path, other] = [directories.next(), directories.next()];
  const { database } = await open(other);
  const pid = await pretendPostmaster(join(path, 'postgres/cluster'));
  leavePostmasterFile(path, pid, join(other, 'postgres/socket'));
  await expect(open(path)).rejects.toMatchObject({
    fault: {
      code: 'DATA_DIRECTORY_IN_USE',
      detail: expect.stringContaining(
        `works on ${join(other, 'postgres/cluster')}, not on ${join(path, '')}`,
      ),
    },
  });
  expect(processIdentity(pid)).toBeDefined();
  expect((await database.pool.query('select 1 as one')).rows).toEqual([{ one: 1 }]);
});

test('a server of another version that was left running is stopped, and the present one started', async () => {
  const path = directories.next();
  const cluster = join(path, 'postgres/cluster');
  const pid = await pretendPostmaster(cluster);
  const socketFolder = join(path, 'left');
  mkdirSync(socketFolder);
  const left = pretendServer({ folder: cluster, version: '18.0' });
  left.listen(join(socketFolder, '.s.PGSQL.5432'));
  await once(left, 'listening');
  closers.push(async () => {
    left.close();
  });
  leavePostmasterFile(path, pid, socketFolder);
  // Its socket goes with it.
  const gone = expect
    .poll(() => processIdentity(pid))
    .toBeUndefined()
    .then(() => left.close());
  const { started } = await open(path);
  await gone;
  expect(started).toMatchObject({ isAdopted: false });
});

test('a server that answers although its process cannot be seen is a refusal', async () => {
  const path = directories.next();
  const { database, started } = await open(path);
  // Another container would see our files and our socket, but neither our lock's holder nor our server's process.
  writeFileSync(join(path, 'postgres/owner.lock'), deadOwner());
  const own = readFileSync(join(path, 'postgres/cluster/postmaster.pid'), 'utf8');
  leavePostmasterFile(path, 4_194_304);
  const second = openDatabase({ dataDirectory: path });
  await expect(second).rejects.toMatchObject({
    fault: { code: 'DATA_DIRECTORY_IN_USE', detail: expect.stringContaining('another container') },
  });
  writeFileSync(join(path, 'postgres/cluster/postmaster.pid'), own);
  expect(processIdentity(started?.pid ?? 0)).toBeDefined();
  await database.close();
});

function deadOwner(): string {
  const nonce = '00000000-0000-0000-0000-000000000000';
  return JSON.stringify({ pid: 4_194_304, startTicks: 1, bootId: 'an earlier boot', nonce });
}
