import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { readServeOptions, type ServeOptions } from './read-serve-options.ts';

function optionsOf(args: readonly string[], environment: NodeJS.ProcessEnv = {}): ServeOptions {
  const read = readServeOptions(args, environment);
  if (read.kind !== 'options') throw new Error(`it was ${read.kind}`);
  return read.options;
}

it('a server that is told nothing serves this machine alone, from the home of its user', () => {
  expect(optionsOf([])).toEqual({
    data: join(homedir(), '.local/share/stillpoint'),
    host: '127.0.0.1',
    port: 7420,
    level: 'info',
    nodeName: null,
  });
});

it('the command line comes before the environment, and the environment before the home', () => {
  const environment = { XDG_DATA_HOME: '/share', STILLPOINT_NODE_NAME: 'two' };
  expect(optionsOf([], environment)).toMatchObject({ data: '/share/stillpoint', nodeName: 'two' });
  const named = { ...environment, STILLPOINT_DATA: '/data' };
  expect(optionsOf([], named).data).toBe('/data');
  const options = optionsOf(['--data', 'here', '--node-name', 'one'], named);
  expect(options).toMatchObject({ data: resolve('here'), nodeName: 'one' });
});

it.each([
  [['--port', '65536'], '"65536" is not a port.'],
  [['--port', '7x'], '"7x" is not a port.'],
  [['--log-level', 'loud'], '"loud" is not a log level.'],
  [['--node-name', '-a'], 'argument is ambiguous'],
  [['--node-name=a b'], '"a b" is not a name of a node.'],
  [['--bogus'], "Unknown option '--bogus'"],
])('%j is a usage error that says what is wrong', (args, problem) => {
  expect(readServeOptions(args, {})).toEqual({
    kind: 'usage',
    problem: expect.stringContaining(problem),
    usage: expect.stringContaining('Usage: stillpoint serve'),
  });
});

it('--help is no error, and counts before what else is wrong', () => {
  expect(readServeOptions(['--port', 'x', '-h'], {}).kind).toBe('help');
});
