import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '@stillpoint/datapower';
import type { KnownStore } from '@stillpoint/store';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MoverOrder, MoverReply } from './mover-orders.ts';
import { type MoverPool, openMoverPool } from './mover-pool.ts';

const soon = { deadlineMs: 30_000 };
let folder: string;
let store: KnownStore;
let pool: MoverPool;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'stillpoint-movers-'));
  store = { root: folder, requiresRemoteMount: false, expectedStoreId: null };
  pool = openMoverPool({ size: 2, shortSize: 1 });
  await pool.order({ kind: 'initStore', location: store }, soon);
});

afterEach(async () => {
  await pool.close();
  expect(pool.processIds()).toEqual([]);
  await rm(folder, { recursive: true });
});

const check = (): MoverOrder<'checkStore'> => ({ kind: 'checkStore', store, minFreePercent: 0 });
const codeOf = (reply: MoverReply): string => (reply.ok ? 'ok' : reply.fault.code);

function onlyProcess(): number {
  const [processId, ...others] = pool.processIds();
  expect(others).toEqual([]);
  return processId ?? 0;
}

function isAlive(processId: number): boolean {
  try {
    process.kill(processId, 0);
    return true;
  } catch {
    return false;
  }
}

test('orders are carried out one after the other by a mover that stays', async () => {
  const first = await pool.order(check(), soon);
  const processId = onlyProcess();
  const second = await pool.order(check(), soon);
  expect(first).toMatchObject({ ok: true, value: { fileSystem: expect.any(String) } });
  expect(codeOf(second)).toBe('ok');
  expect(onlyProcess()).toBe(processId);
});

test('what the store says comes back as a fault', async () => {
  const reply = await pool.order({ ...check(), store: { ...store, root: join(folder, 'none') } }, soon);
  expect(reply).toMatchObject({ ok: false, fault: { code: 'STORE_DOES_NOT_EXIST', effect: 'none' } });
});

test('a mover that hangs misses its deadline, is killed and replaced', async () => {
  const hanging = onlyProcess();
  process.kill(hanging, 'SIGSTOP');
  const reply = await pool.order(check(), { deadlineMs: 200 });
  expect(reply).toMatchObject({ ok: false, fault: { code: 'STORE_NOT_RESPONDING', effect: 'unknown' } });
  expect(codeOf(await pool.order(check(), soon))).toBe('ok');
  expect(pool.processIds()).not.toContain(hanging);
  await pool.close();
  expect(isAlive(hanging)).toBe(false);
});

test('orders that wait behind a mover that hangs are carried out by its replacement', async () => {
  process.kill(onlyProcess(), 'SIGSTOP');
  const replies = await Promise.all([
    pool.order(check(), { deadlineMs: 200 }),
    ...[1, 2, 3].map(() => pool.order(check(), soon)),
  ]);
  expect(replies.map(codeOf)).toEqual(['STORE_NOT_RESPONDING', 'ok', 'ok', 'ok']);
});

test('a mover that dies in the middle is told and replaced', async () => {
  const dying = onlyProcess();
  process.kill(dying, 'SIGSTOP');
  const replying = pool.order(check(), soon);
  process.kill(dying, 'SIGKILL');
  expect(await replying).toMatchObject({ ok: false, fault: { code: 'MOVER_DIED', effect: 'unknown' } });
  expect(codeOf(await pool.order(check(), soon))).toBe('ok');
});

test('an order that is aborted ends at once, and leaves no process', async () => {
  const hanging = onlyProcess();
  process.kill(hanging, 'SIGSTOP');
  const abort = new AbortController();
  const going = pool.order(check(), { ...soon, signal: abort.signal });
  const waiting = pool.order(check(), { ...soon, signal: abort.signal });
  abort.abort();
  expect(await going).toMatchObject({ ok: false, fault: { code: 'ABORTED', effect: 'unknown' } });
  expect(await waiting).toMatchObject({ ok: false, fault: { code: 'ABORTED', effect: 'none' } });
  expect(await pool.order(check(), { ...soon, signal: abort.signal })).toMatchObject({ ok: false });
});

test('closing answers every order, going or waiting', async () => {
  process.kill(onlyProcess(), 'SIGSTOP');
  const replies = [pool.order(check(), soon), pool.order(check(), soon)];
  await pool.close();
  expect((await Promise.all(replies)).map(codeOf)).toEqual(['ABORTED', 'ABORTED']);
  expect(codeOf(await pool.order(check(), soon))).toBe('ABORTED');
});

test('a mover without work for a while is ended', async () => {
  await using brief = closing(openMoverPool({ size: 1, idleMs: 1 }));
  await brief.pool.order(check(), soon);
  const [processId = 0] = brief.pool.processIds();
  await expect.poll(() => isAlive(processId), { timeout: 20_000 }).toBe(false);
  expect(codeOf(await brief.pool.order(check(), soon))).toBe('ok');
});

function closing(opened: MoverPool): AsyncDisposable & { pool: MoverPool } {
  return { pool: opened, [Symbol.asyncDispose]: () => opened.close() };
}

test('a mover ends by itself when its server is gone', async () => {
  const script = `
    const { openMoverPool } = await import(${JSON.stringify(new URL('./mover-pool.ts', import.meta.url).href)});
    const pool = openMoverPool({ size: 1 });
    await pool.order(${JSON.stringify(check())}, { deadlineMs: 30000 });
    console.log(pool.processIds()[0]);
    process.kill(process.pid, 'SIGKILL');`;
  let output = '';
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  } catch (error) {
    output = (error as { stdout: string }).stdout;
  }
  const orphan = Number(output.trim());
  expect(orphan).toBeGreaterThan(1);
  await expect.poll(() => isAlive(orphan), { timeout: 20_000 }).toBe(false);
});

test('a login is in no argument, no environment and no reply, and a short order does not wait behind a download', async () => {
  const device = await silentDevice();
  const password = 'hunter2-planted';
  const order: MoverOrder<'fetchExport'> = {
    kind: 'fetchExport',
    store,
    source: {
      address: {
        host: '127.0.0.1',
        port: device.port,
        username: 'planted-user',
        password: new Secret(password),
        tls: { kind: 'insecure' },
      },
      deadlines: {},
      expectedSerialNumber: null,
    },
    taskId: 'task-1',
    domains: ['A'],
    isPersisted: true,
    comment: '',
    verifiesHashes: true,
  };
  const abort = new AbortController();
  const downloads = ['task-1', 'task-2', 'task-3'].map((taskId) =>
    pool.order({ ...order, taskId }, { ...soon, signal: abort.signal }),
  );
  await device.connected;
  expect(codeOf(await pool.order(check(), soon))).toBe('ok');
  await expect.poll(() => pool.processIds(), { timeout: 20_000 }).toHaveLength(3);
  for (const processId of pool.processIds()) {
    const commandLine = await readFile(`/proc/${processId}/cmdline`, 'utf8');
    const environment = await readFile(`/proc/${processId}/environ`, 'utf8');
    const seen = commandLine + environment;
    expect(seen).toContain('mover.ts');
    expect(seen).not.toContain(password);
    expect(seen).not.toContain('planted-user');
  }
  expect(JSON.stringify(order)).not.toContain(password);
  abort.abort();
  const replies = await Promise.all(downloads);
  expect(replies.map(codeOf)).toEqual(['ABORTED', 'ABORTED', 'ABORTED']);
  expect(JSON.stringify(replies)).not.toContain(password);
  await device.close();
});

// Takes connections and never says a word.
async function silentDevice() {
  const server: Server = createServer();
  const connected = new Promise<void>((resolve) => server.once('connection', () => resolve()));
  const sockets = new Set<{ destroy(): void }>();
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    port: address.port,
    connected,
    close: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}
