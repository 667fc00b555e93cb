import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';

let room: string;
beforeEach(() => {
  room = mkdtempSync(join(tmpdir(), 'stillpoint-cache-'));
});
afterEach(() => rmSync(room, { recursive: true, force: true }));

const codeCache = new URL('./code-cache.ts', import.meta.url).href;

/** What a process of its own answers, which then imports a module. */
function openIn(dataDirectory: string, environment: Record<string, string> = {}): unknown {
  writeFileSync(join(room, 'module.mjs'), 'export const answer = 42;');
  const script = `
    import { openCodeCache } from ${JSON.stringify(codeCache)};
    console.log(JSON.stringify(openCodeCache(${JSON.stringify(dataDirectory)})));
    await import(${JSON.stringify(join(room, 'module.mjs'))});`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
    env: { PATH: process.env.PATH, ...environment },
  });
  expect(stderr).toBe('');
  return JSON.parse(stdout);
}

const modeOf = (path: string): number => statSync(path).mode & 0o777;

it('keeps compiled code in a folder of its user alone, and makes the data directory as the server would', () => {
  const data = join(room, 'data');
  const folder = join(data, 'cache');
  expect(openIn(data)).toBe(folder);
  expect(modeOf(folder)).toBe(0o700);
  expect(modeOf(data) & 0o066).toBe(0);
  expect(readdirSync(folder)).not.toEqual([]);
  expect(openIn(data)).toBe(folder);
});

it('is not taken from a folder that others could write to, nor from where a link leads', () => {
  for (const mode of [0o770, 0o702]) {
    const data = join(room, `data-${mode}`);
    mkdirSync(join(data, 'cache'), { recursive: true });
    chmodSync(join(data, 'cache'), mode);
    expect(openIn(data)).toBeNull();
    expect([readdirSync(join(data, 'cache')), modeOf(join(data, 'cache'))]).toEqual([[], mode]);
  }
  const linked = join(room, 'linked');
  const elsewhere = join(room, 'elsewhere');
  mkdirSync(linked);
  mkdirSync(elsewhere, { mode: 0o700 });
  symlinkSync(elsewhere, join(linked, 'cache'));
  expect(openIn(linked)).toBeNull();
  expect(readdirSync(elsewhere)).toEqual([]);
});

it('is done without where no folder can be made, or where Node was told so', () => {
  writeFileSync(join(room, 'file'), '');
  expect(openIn(join(room, 'file', 'data'))).toBeNull();
  expect(openIn(join(room, 'data'), { NODE_DISABLE_COMPILE_CACHE: '1' })).toBeNull();
});
