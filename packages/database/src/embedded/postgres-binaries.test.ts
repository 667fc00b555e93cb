import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findPostgresBinaries, linkPostgresLibraries, readBinariesVersion } from './postgres-binaries.ts';

const binaries = findPostgresBinaries();
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'stillpoint-links-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const listed = (): string[] =>
  (JSON.parse(readFileSync(join(binaries.nativeFolder, 'pg-symlinks.json'), 'utf8')) as { target: string }[])
    .map(({ target }) => target.split('/').at(-1) ?? '')
    .toSorted();

test('each library that npm cannot pack as a link has its link, to a file of the package', () => {
  linkPostgresLibraries(binaries, folder);
  expect(readdirSync(folder).toSorted()).toEqual([...new Set(listed())]);
  expect(listed()).toHaveLength(14);
  for (const name of readdirSync(folder))
    expect(realpathSync(join(folder, name)).startsWith(realpathSync(binaries.nativeFolder)), name).toBe(true);
});

test('the programs run with the links, and without them it is said that they do not', async () => {
  await expect(readBinariesVersion(binaries, folder)).rejects.toMatchObject({
    fault: { code: 'EMBEDDED_POSTGRES_NOT_AVAILABLE', detail: expect.stringContaining('does not run') },
  });
  linkPostgresLibraries(binaries, folder);
  expect(await readBinariesVersion(binaries, folder)).toMatch(/^18\.\d+$/);
});

test('links of an earlier place of installation are replaced', () => {
  const [name = ''] = listed();
  symlinkSync('/absent/earlier.so', join(folder, name));
  linkPostgresLibraries(binaries, folder);
  expect(readlinkSync(join(folder, name))).not.toContain('absent');
  expect(existsSync(join(folder, name))).toBe(true);
});
