import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { projectFolder } from '../../tools/check/folders.ts';
import { listProjectFiles } from '../../tools/check/source-files.ts';

const read = (path: string) => readFileSync(join(projectFolder, path), 'utf8');
const shell = [...read('README.md').matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block = '']) =>
  block.split('\n'),
);

it('every command of the README exists', () => {
  const known = listProjectFiles(projectFolder).flatMap(
    (path) => /^packages\/cli\/src\/commands\/([a-z-]+)\.ts$/.exec(path)?.[1] ?? [],
  );
  const used = shell.flatMap(
    (line) => /^\s*stillpoint ([a-z]+)(?: ([a-z]+))?/.exec(line)?.slice(1, 3).join(' ').trim() ?? [],
  );
  expect(used.length).toBeGreaterThan(5);
  for (const words of used) expect(known, words).toContain(words.replace(' ', '-'));
});

it('every npm script of the README exists, and leads to a file', () => {
  const { scripts } = JSON.parse(read('package.json'));
  const used = shell.flatMap((line) => /^\s*npm (?:run )?([a-z]+)/.exec(line)?.[1] ?? []);
  expect(used).toEqual(['demo', 'test']);
  for (const name of used) {
    const [, , file] = scripts[name].split(' ');
    expect(listProjectFiles(projectFolder), name).toContain(file);
  }
});
