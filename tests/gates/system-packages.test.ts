import { expect, it } from 'vitest';
import { demandCommand, findCommand, systemCommands } from '../../tools/check/system-packages.ts';

it('a command that is not there is named, with what to install', () => {
  expect(() => demandCommand('no-such-command')).toThrow(
    'This test needs "no-such-command": install the Debian package',
  );
});

it('a command is found where it is', () => {
  expect(findCommand('sh')).toMatch(/\/sh$/);
  expect(demandCommand('sh')).toBe(findCommand('sh'));
});

it('every command comes from a package', () => {
  for (const [command, name] of Object.entries(systemCommands))
    expect(`${command}: ${name}`).toMatch(/^[a-z0-9-]+: [a-z0-9-]+$/);
});
