import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ScriptGround } from '../testing/script-ground.ts';
import { findScript, listScripts } from './script-folder.ts';

let ground: ScriptGround;

beforeEach(() => {
  ground = new ScriptGround();
});

afterEach(() => ground.dispose());

const write = (name: string, mode = 0o755): void =>
  writeFileSync(join(ground.folder, name), '#!/bin/sh\n', { mode });

it('lists files by name, and says of each why it cannot be run', async () => {
  write('b.sh');
  write('a.sh', 0o644);
  write('.hidden');
  mkdirSync(join(ground.folder, 'folder'));
  symlinkSync('/bin/true', join(ground.folder, 'link'));
  const { folder } = ground;
  const listed = await listScripts(folder);
  expect(
    listed.ok ? listed.value.map(({ name, problem }) => [name, problem?.code, problem?.detail]) : listed,
  ).toEqual([
    ['.hidden', 'SCRIPT_NOT_FOUND', `The script ".hidden" is not the plain name of a file in ${folder}.`],
    ['a.sh', 'SCRIPT_NOT_RUNNABLE', `The script "a.sh" is not an executable file in ${folder}.`],
    ['b.sh', undefined, undefined],
    ['link', 'SCRIPT_NOT_FOUND', `The script "link" is not a regular file in ${folder}.`],
  ]);
  expect(listed.ok && listed.value[2]?.sizeBytes).toBe(10);
});

it('says that a folder cannot be read', async () => {
  const listed = await listScripts(join(ground.room, 'missing'));
  expect(listed).toMatchObject({ ok: false, fault: { code: 'SCRIPT_NOT_FOUND', effect: 'none' } });
});

it('takes names of up to 255 characters', async () => {
  const longest = 'x'.repeat(255);
  write(longest);
  expect(await findScript(ground.folder, longest)).toEqual({ ok: true, value: join(ground.folder, longest) });
  expect(await findScript(ground.folder, `${longest}x`)).toMatchObject({
    fault: { code: 'SCRIPT_NOT_FOUND' },
  });
});

it('finds a script that was made executable since', async () => {
  write('a.sh', 0o644);
  expect(await findScript(ground.folder, 'a.sh')).toMatchObject({ fault: { code: 'SCRIPT_NOT_RUNNABLE' } });
  chmodSync(join(ground.folder, 'a.sh'), 0o755);
  expect(await findScript(ground.folder, 'a.sh')).toMatchObject({ ok: true });
});
