import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { acquireDataDirectoryLock } from './data-directory-lock.ts';
import { processIdentity } from './process-identity.ts';

let folder: string;
let lockPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-lock-'));
  lockPath = join(folder, 'owner.lock');
});
afterEach(() => rmSync(folder, { recursive: true }));

const self = processIdentity(process.pid);

/** What a process leaves that had our number, but was started earlier. */
function deadOwner() {
  return { ...self, startTicks: 1, nonce: randomUUID() };
}

function inUse(detail: string) {
  return expect.objectContaining({
    fault: expect.objectContaining({
      code: 'DATA_DIRECTORY_IN_USE',
      detail: expect.stringContaining(detail),
    }),
  });
}

test('a lock that is held is refused with the pid of its holder', () => {
  const lock = acquireDataDirectoryLock(lockPath);
  expect(() => acquireDataDirectoryLock(lockPath)).toThrow(inUse(`Process ${process.pid} holds`));
  lock.release();
  acquireDataDirectoryLock(lockPath).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a recycled process number is not taken for the holder', () => {
  writeFileSync(lockPath, JSON.stringify(deadOwner()));
  acquireDataDirectoryLock(lockPath).release();
  expect(readdirSync(folder)).toEqual([]);
});

test('a holder from before the last boot is dead', () => {
  writeFileSync(lockPath, JSON.stringify({ ...self, bootId: randomUUID(), nonce: randomUUID() }));
  acquireDataDirectoryLock(lockPath).release();
});

test('who died while following a dead holder is followed in turn', () => {
  const first = deadOwner();
  const second = deadOwner();
  writeFileSync(lockPath, JSON.stringify(first));
  writeFileSync(`${lockPath}.${first.nonce}`, JSON.stringify(second));
  const lock = acquireDataDirectoryLock(lockPath);
  expect(JSON.parse(readFileSync(lockPath, 'utf8')).startTicks).toBe(self?.startTicks);
  expect(readdirSync(folder)).toEqual(['owner.lock']);
  lock.release();
});

test('who is just following a dead holder is the holder', () => {
  const first = deadOwner();
  writeFileSync(lockPath, JSON.stringify(first));
  writeFileSync(`${lockPath}.${first.nonce}`, JSON.stringify({ ...self, nonce: randomUUID() }));
  expect(() => acquireDataDirectoryLock(lockPath)).toThrow(inUse(`Process ${process.pid} holds`));
});

test('a lock file that is not one of ours is never removed', () => {
  writeFileSync(lockPath, 'hands off');
  expect(() => acquireDataDirectoryLock(lockPath)).toThrow(inUse('cannot be read as a lock'));
  expect(readFileSync(lockPath, 'utf8')).toBe('hands off');
});

test('a late release does not remove the lock of a successor', () => {
  const early = acquireDataDirectoryLock(lockPath);
  early.release();
  const late = acquireDataDirectoryLock(lockPath);
  early.release();
  expect(readdirSync(folder)).toEqual(['owner.lock']);
  late.release();
});

test('of many processes that find dead holders exactly one follows each', async () => {
  const locks = Array.from({ length: 60 }, (_, index) => join(folder, `${index}.lock`));
  for (const path of locks) writeFileSync(path, JSON.stringify(deadOwner()));
  const contenders = Array.from({ length: 4 }, startContender);
  try {
    const answers = contenders.map((child) => createInterface(child.stdout)[Symbol.asyncIterator]());
    for (const lines of answers) expect((await lines.next()).value).toBe('ready');
    for (const child of contenders) child.stdin.write(`${JSON.stringify(locks)}\n`);
    const won = await Promise.all(
      answers.map(async (lines) => JSON.parse(String((await lines.next()).value)) as string[]),
    );
    expect(won.flat().sort()).toEqual([...locks].sort());
    console.log(`60 dead locks, won by 4 processes: ${won.map((paths) => paths.length).join(', ')}`);
  } finally {
    for (const child of contenders) child.stdin.end();
    const running = contenders.filter(({ exitCode }) => exitCode === null);
    await Promise.all(running.map((child) => once(child, 'exit')));
  }
});

/** Takes all locks it is told to take, tells which it got, and holds them until its input ends. */
function startContender() {
  const program = `
    import { createInterface } from 'node:readline';
    import { acquireDataDirectoryLock } from ${JSON.stringify(join(import.meta.dirname, 'data-directory-lock.ts'))};
    console.log('ready');
    for await (const line of createInterface(process.stdin)) {
      const won = JSON.parse(line).filter((path) => {
        try { acquireDataDirectoryLock(path); return true; } catch (error) {
          if (error.fault?.code !== 'DATA_DIRECTORY_IN_USE') throw error;
          return false;
        }
      });
      console.log(JSON.stringify(won));
    }`;
  return spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
}
