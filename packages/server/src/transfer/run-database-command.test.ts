import { EventEmitter } from 'node:events';
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import { makeTestDataDirectory, type TestDataDirectory } from '@stillpoint/database/testing/data-directory';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runDatabaseCommand } from './run-database-command.ts';

let room: TestDataDirectory;
let database: Database<unknown>;
let url: string;
let said: { out: string; error: string };

beforeAll(async () => {
  room = makeTestDataDirectory();
  database = await openTestDatabase();
  const { host = '', database: name, user } = database.connectionOptions as unknown as Record<string, string>;
  url = `postgresql:///${name}?host=${encodeURIComponent(host)}&user=${user}`;
});
afterAll(async () => {
  await database.close();
  await room.dispose();
});
beforeEach(() => {
  said = { out: '', error: '' };
});

/** What is outside of a command; `onListening` is called when it listens to signals. */
function outside(onListening: (signals: EventEmitter) => void = () => undefined) {
  const signals = new EventEmitter();
  const into = (key: keyof typeof said) => ({
    write(text: string) {
      said[key] += text;
    },
  });
  return {
    stdout: into('out'),
    stderr: into('error'),
    once(signal: string, listener: () => void) {
      signals.once(signal, listener);
      onListening(signals);
    },
  };
}

const run = (args: readonly string[], on = outside()): Promise<number> =>
  runDatabaseCommand(args, { DATABASE_URL: url, HOME: room.path }, on);

describe('an export', () => {
  it('says to people where it is and what it does not hold, and to programs the same as data', async () => {
    expect(await run(['export', join(room.path, 'one.gz')])).toBe(0);
    expect(said.out).toMatch(/^Exported to .*one\.gz: \d+ rows of \d+ tables, \d+ bytes\.\n.*secret\.key/);
    said.out = '';
    expect(await run(['export', join(room.path, 'two.gz'), '--json'])).toBe(0);
    const { path, sizeBytes } = JSON.parse(said.out);
    expect([path, sizeBytes]).toEqual([join(room.path, 'two.gz'), statSync(path).size]);
    expect(said.error).toBe('');
  });

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ])('that %s breaks off keeps nothing and ends as a shell expects', async (signal, code) => {
    const folder = join(room.path, signal);
    mkdirSync(folder);
    const on = outside((signals) => signals.emit(signal));
    expect(await run(['export', folder, '--json'], on)).toBe(code);
    expect(JSON.parse(said.out)).toMatchObject({ code: 'DATABASE_EXPORT_FAILED', status: 0 });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('of a data directory without a database is refused and makes none', async () => {
    const data = join(room.path, 'empty');
    expect(await run(['export', room.path, '--data', data])).toBe(4);
    expect(said.error).toContain(`${data} holds no embedded database.`);
    expect(readdirSync(room.path)).not.toContain('empty');
  });
});

it('an import into a database that holds something is refused, with what to do about it', async () => {
  const file = join(room.path, 'full.gz');
  expect(await run(['export', file])).toBe(0);
  said.out = '';
  expect(await run(['import', file, '--json'])).toBe(4);
  expect(JSON.parse(said.out)).toMatchObject({
    code: 'DATABASE_NOT_EMPTY',
    remedy: expect.stringMatching(/\.$/),
  });
});

it('a database that does not answer has an exit code of its own', async () => {
  const file = join(room.path, 'url');
  writeFileSync(file, 'postgresql://me:s3cret@127.0.0.1:1/stillpoint\n');
  expect(await run(['export', room.path, '--database-url-file', file])).toBe(6);
  expect(said.error).toMatch(/^stillpoint: /);
  expect(said.error).not.toContain('s3cret');
});

it('help is printed where data goes, and what is wrong with a call where problems go', async () => {
  expect(await run(['--help'])).toBe(0);
  expect([said.out.includes('Usage:'), said.error]).toEqual([true, '']);
  said.out = '';
  expect(await run(['export'])).toBe(2);
  expect(said.out).toBe('');
  expect(said.error).toMatch(/^stillpoint: Name one file or folder\.\n\nUsage:/);
  expect(await run(['export', '--json'])).toBe(2);
  expect(JSON.parse(said.out)).toMatchObject({ code: 'USAGE_NOT_VALID' });
});
