import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { findLeaks } from '../../tools/check/find-leaks.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-gate-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

it('a test that cleaned up left nothing', async () => {
  expect(await findLeaks(folder)).toEqual([]);
});

it('a file that was left is named', async () => {
  writeFileSync(join(folder, 'half-a-backup'), '');
  expect(await findLeaks(folder)).toEqual(['left a file behind: half-a-backup']);
});

it('a process that was left is named, and one that ends in time is not', async () => {
  const child = spawn(process.execPath, ['-e', 'process.stdin.resume()'], {
    env: { TMPDIR: folder },
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  await once(child, 'spawn');
  expect(await findLeaks(folder)).toEqual([expect.stringContaining(`left a process behind: ${child.pid} `)]);
  child.stdin.end();
  expect(await findLeaks(folder)).toEqual([]);
});
