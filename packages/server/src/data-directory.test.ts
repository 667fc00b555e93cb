import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { announce, openDataDirectory, withdraw } from './data-directory.ts';

let room: string;
let path: string;

beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'stillpoint-data-directory-'));
  path = join(room, 'deep', 'data');
});

afterEach(() => rmSync(room, { recursive: true }));

const modeOf = (...names: string[]): string => (statSync(join(path, ...names)).mode & 0o777).toString(8);

/** As an operator has it who lets everybody read. */
async function underLooseMask<Value>(work: () => Promise<Value>): Promise<Value> {
  const before = process.umask(0);
  try {
    return await work();
  } finally {
    process.umask(before);
  }
}

describe('a data directory that is new', () => {
  it('is made with all that a server needs, for its user alone, whatever the mask', async () => {
    const data = await underLooseMask(() => openDataDirectory(path, {}));
    expect(readdirSync(path).toSorted()).toEqual(['node-id', 'scripts', 'secret.key', 'token']);
    // Root's is passed through by the account that PostgreSQL runs as.
    expect(modeOf()).toBe(process.getuid?.() === 0 ? '711' : '700');
    expect(modeOf('scripts')).toBe('700');
    for (const file of ['token', 'secret.key', 'node-id']) expect(modeOf(file)).toBe('600');
    expect(data.path).toBe(path);
    expect(data.scriptsFolder).toBe(join(path, 'scripts'));
    expect(data.secretKey).toHaveLength(32);
    expect(data.token).toMatch(/^[A-Za-z0-9_-]{43}$/);
    expect(data.nodeId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it('shares nothing with another', async () => {
    const [one, other] = [
      await openDataDirectory(path, {}),
      await openDataDirectory(join(room, 'other'), {}),
    ];
    expect(one.token).not.toBe(other.token);
    expect(one.nodeId).not.toBe(other.nodeId);
    expect(one.secretKey.equals(other.secretKey)).toBe(false);
  });
});

describe('a data directory that is opened again', () => {
  it('holds the same values', async () => {
    const first = await openDataDirectory(path, {});
    expect(await openDataDirectory(path, {})).toEqual(first);
  });

  it('holds what an operator put there', async () => {
    mkdirSync(path, { recursive: true });
    writeFileSync(join(path, 'token'), 'chosen-by-an-operator\n');
    const key = Buffer.alloc(32, 7);
    writeFileSync(join(path, 'secret.key'), `${key.toString('base64')}\n`);
    const data = await openDataDirectory(path, {});
    expect(data.token).toBe('chosen-by-an-operator');
    expect(data.secretKey.equals(key)).toBe(true);
  });

  it('with a file that cannot be read makes no new one in its place', async () => {
    await openDataDirectory(path, {});
    rmSync(join(path, 'token'));
    mkdirSync(join(path, 'token'));
    await expect(openDataDirectory(path, {})).rejects.toThrow('EISDIR');
  });
});

describe('the key', () => {
  it('may come from the environment, and then is in no file', async () => {
    const key = Buffer.alloc(32, 9);
    const data = await openDataDirectory(path, { STILLPOINT_SECRET_KEY: key.toString('base64') });
    expect(data.secretKey.equals(key)).toBe(true);
    expect(readdirSync(path)).not.toContain('secret.key');
  });

  it.each([
    ['empty', ''],
    ['too short', Buffer.alloc(31, 1).toString('base64')],
    ['too long', Buffer.alloc(33, 1).toString('base64')],
    ['no base64', '!'.repeat(44)],
  ])('that is %s is refused by the name of its variable, and not shown', async (_, key) => {
    const opening = openDataDirectory(path, { STILLPOINT_SECRET_KEY: key });
    await expect(opening).rejects.toThrow('STILLPOINT_SECRET_KEY does not hold 32 bytes in base64.');
  });

  it('that is damaged in its file is refused by the name of the file, and stays as it is', async () => {
    mkdirSync(path, { recursive: true });
    const file = join(path, 'secret.key');
    writeFileSync(file, 'short\n');
    await expect(openDataDirectory(path, {})).rejects.toThrow(`${file} does not hold 32 bytes in base64.`);
    expect(readFileSync(file, 'utf8')).toBe('short\n');
  });
});

describe('the announcement', () => {
  it('tells where the server listens and who it is, to its user alone, and is taken back', async () => {
    await openDataDirectory(path, {});
    await underLooseMask(() => announce(path, 'http://127.0.0.1:7420'));
    const told = JSON.parse(readFileSync(join(path, 'server.json'), 'utf8'));
    expect(told).toEqual({ url: 'http://127.0.0.1:7420', pid: process.pid });
    expect(modeOf('server.json')).toBe('600');
    await withdraw(path);
    await withdraw(path);
    expect(readdirSync(path).toSorted()).toEqual(['node-id', 'scripts', 'secret.key', 'token']);
  });

  it('takes the place of one that a dead server left, also one that others could read', async () => {
    await openDataDirectory(path, {});
    writeFileSync(join(path, 'server.json'), 'left behind');
    chmodSync(join(path, 'server.json'), 0o644);
    await announce(path, 'http://127.0.0.1:1');
    expect(readFileSync(join(path, 'server.json'), 'utf8')).toContain('http://127.0.0.1:1');
    expect(modeOf('server.json')).toBe('600');
  });
});
