import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { rotatePostgresLog, tailPostgresLog } from './postgres-log.ts';

let folder: string;
let logPath: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-log-'));
  logPath = join(folder, 'postgres.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

test('a log that has grown is put aside while its writer goes on', () => {
  const writer = openSync(logPath, 'a');
  writeSync(writer, 'a long line of the past\n');
  rotatePostgresLog(logPath, 10);
  writeSync(writer, 'new\n');
  closeSync(writer);
  expect(readFileSync(logPath, 'utf8')).toBe('new\n');
  expect(readFileSync(`${logPath}.1`, 'utf8')).toBe('a long line of the past\n');
});

test('a small log and an absent log are left alone', () => {
  rotatePostgresLog(logPath, 10);
  writeFileSync(logPath, 'short\n');
  rotatePostgresLog(logPath, 10);
  expect(statSync(logPath).size).toBe(6);
});

test('the tail of a long log begins with a whole line', () => {
  writeFileSync(logPath, Array.from({ length: 1000 }, (_, index) => `line ${index}`).join('\n'));
  const tail = tailPostgresLog(logPath).split('\n');
  expect(tail.at(-1)).toBe('line 999');
  expect(tail[0]).toMatch(/^line \d+$/);
  expect(tail.length).toBeLessThan(300);
});

test('an absent log has a tail that says so', () => {
  expect(tailPostgresLog(logPath)).toBe('(no log)');
});
