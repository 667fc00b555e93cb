import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DatabaseCommand, readDatabaseCommand } from './read-database-command.ts';

function commandOf(args: readonly string[], environment: NodeJS.ProcessEnv = {}): DatabaseCommand {
  const read = readDatabaseCommand(args, environment);
  if (read.kind !== 'command') throw new Error(`it was ${read.kind}`);
  return read.command;
}

describe('which database is meant', () => {
  const environment = {
    XDG_DATA_HOME: '/share',
    STILLPOINT_DATA: '/data',
    DATABASE_URL: 'postgresql:///env',
  };

  it.each([
    ['the one of --data, whatever the environment says', ['--data', 'here'], environment, resolve('here')],
    ['that of STILLPOINT_DATA', [], { ...environment, DATABASE_URL: '' }, '/data'],
    ['that of XDG_DATA_HOME', [], { XDG_DATA_HOME: '/share' }, '/share/stillpoint'],
    ['that of the home of the user', [], {}, join(homedir(), '.local/share/stillpoint')],
  ])('is %s', (_which, args, given, dataDirectory) => {
    expect(commandOf(['export', 'x', ...args], given).target).toEqual({ dataDirectory });
  });

  it('is that of DATABASE_URL when no option names one', () => {
    expect(commandOf(['export', 'x'], environment).target).toEqual({ url: 'postgresql:///env' });
  });

  it('is the one whose address is in a file, so that no password is in an argument', () => {
    const room = mkdtempSync(join(tmpdir(), 'stillpoint-command-'));
    try {
      writeFileSync(join(room, 'url'), '\n postgresql:///filed\n');
      const args = ['import', 'x', '--database-url-file', join(room, 'url')];
      expect(commandOf(args, environment).target).toEqual({ url: 'postgresql:///filed' });
    } finally {
      rmSync(room, { recursive: true });
    }
  });
});

it('a file is named absolutely, and text is printed unless JSON is asked for', () => {
  expect(commandOf(['import', 'a/b.gz'])).toMatchObject({
    name: 'import',
    path: resolve('a/b.gz'),
    isJson: false,
  });
  expect(commandOf(['export', '--json', '/x'])).toMatchObject({ name: 'export', path: '/x', isJson: true });
});

it.each([
  [[], '"" is neither export nor import.'],
  [['vacuum', '--json'], '"vacuum" is neither export nor import.'],
  [['export'], 'Name one file or folder.'],
  [['import', 'a', 'b'], 'Name one file.'],
  [['import', 'a', '--data', 'b', '--database-url-file', 'c'], 'name two databases'],
  [['import', 'a', '--database-url-file', '/absent/url'], '/absent/url cannot be read (ENOENT).'],
  [['export', 'a', '--force'], "Unknown option '--force'"],
])('%j is a usage error that says what is wrong', (args, problem) => {
  expect(readDatabaseCommand(args, {})).toEqual({
    kind: 'usage',
    problem: expect.stringContaining(problem),
    usage: expect.stringContaining('Usage: stillpoint database'),
    isJson: args.includes('--json'),
  });
});

it.each([
  [['--help'], ['database export', 'database import']],
  [['-h'], ['database export', 'database import']],
  [['export', '-h'], ['database export']],
  [['import', '--help', 'a', 'b'], ['database import']],
])('%j asks for help', (args, told) => {
  const read = readDatabaseCommand(args, {});
  for (const word of told) expect(read).toEqual({ kind: 'help', text: expect.stringContaining(word) });
});
