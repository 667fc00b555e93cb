import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { dataDirectory } from './connection.ts';
import type { Surroundings } from './surroundings.ts';
import { beginTrial, type Trial } from './trial.ts';

let trial: Trial;
let environment: Record<string, string>;

beforeEach(async () => {
  environment = {};
  trial = await beginTrial({ 'GET /guards': { items: [] } }, { environment });
});

afterEach(() => trial.end());

async function writeData(folder: string, files: Record<string, string>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
}

const serverJson = () => JSON.stringify({ url: trial.url, pid: 1 });

test('address and token come from the data directory of the server on this machine', async () => {
  await writeData(join(trial.folder, '.local/share/stillpoint'), {
    'server.json': serverJson(),
    token: 'from-data\n',
  });
  expect(await trial.run('guard', 'list')).toEqual({
    exitCode: 0,
    out: 'Nothing is quiesced by Stillpoint.\n',
    error: '',
  });
  expect(trial.seen[0]?.authorization).toBe('Bearer from-data');
});

test('--data names another data directory, before and after the command', async () => {
  await writeData(join(trial.folder, 'other'), { 'server.json': serverJson(), token: 'other-token' });
  expect((await trial.run('--data', 'other', 'guard', 'list')).exitCode).toBe(0);
  expect((await trial.run('guard', 'list', '--data', 'other')).exitCode).toBe(0);
  environment.STILLPOINT_DATA = join(trial.folder, 'other');
  expect((await trial.run('guard', 'list')).exitCode).toBe(0);
});

test('--server comes before STILLPOINT_URL, and --token-file before STILLPOINT_TOKEN', async () => {
  environment.STILLPOINT_URL = 'http://127.0.0.1:9';
  environment.STILLPOINT_TOKEN = 'from-environment';
  await writeData(trial.folder, { 'my-token': 'from-file\n' });
  await trial.run('guard', 'list', '--server', trial.url);
  await trial.run('guard', 'list', '--server', trial.url, '--token-file', 'my-token');
  expect(trial.seen.map(({ authorization }) => authorization)).toEqual([
    'Bearer from-environment',
    'Bearer from-file',
  ]);
});

test('a data directory without a running server is named with the remedy, and ends in 6', async () => {
  const { exitCode, error } = await trial.run('guard', 'list');
  const directory = join(trial.folder, '.local/share/stillpoint');
  expect(exitCode).toBe(6);
  expect(error).toBe(
    `stillpoint: No server runs on the data directory ${directory}, since ${directory}/server.json does not exist. ` +
      'Start it with "stillpoint serve", or name another with --server or STILLPOINT_URL.\n',
  );
});

test('a server that does not answer is named with its address, and ends in 6', async () => {
  const port = await closedPort();
  environment.STILLPOINT_TOKEN = 'x';
  const { exitCode, error } = await trial.run('guard', 'list', '--server', `http://127.0.0.1:${port}`);
  expect(exitCode).toBe(6);
  expect(error).toMatch(
    new RegExp(
      `^stillpoint: The server at http://127\\.0\\.0\\.1:${port} could not be reached: .*ECONNREFUSED.*serve`,
    ),
  );
});

test.each(['not json', '{}', '{"url":"file:///etc/passwd"}', '{"url":"http://user:pw@x"}'])(
  'a server.json that says %s is not followed',
  async (text) => {
    await writeData(join(trial.folder, 'data'), { 'server.json': text, token: 'x' });
    const { exitCode, error } = await trial.run('guard', 'list', '--data', 'data');
    expect(exitCode).toBe(6);
    expect(error).toContain('does not hold the address of a server');
  },
);

test.each(['localhost:8044', 'ftp://x', 'x', 'http://u:p@x'])(
  '--server %s is not an address',
  async (address) => {
    expect((await trial.run('guard', 'list', '--server', address)).exitCode).toBe(2);
  },
);

test.each([
  ['is missing', {}],
  ['is empty', { token: '\n' }],
  ['holds what no header can carry', { token: 'hunter2\nX: y' }],
])('a token that %s ends in 5 and is not shown', async (_, files) => {
  await writeData(join(trial.folder, 'data'), { 'server.json': serverJson(), ...files });
  const { exitCode, error } = await trial.run('guard', 'list', '--data', 'data');
  expect(exitCode).toBe(5);
  expect(error).toContain(join(trial.folder, 'data', 'token'));
  expect(error).not.toContain('hunter2');
  expect(trial.seen).toEqual([]);
});

test.each([
  [{}, {}, '/h/op/.local/share/stillpoint'],
  [{}, { XDG_DATA_HOME: '/data' }, '/data/stillpoint'],
  [{}, { XDG_DATA_HOME: 'relative' }, '/h/op/.local/share/stillpoint'],
  [{}, { STILLPOINT_DATA: '/srv/sp', XDG_DATA_HOME: '/data' }, '/srv/sp'],
  [{}, { STILLPOINT_DATA: '' }, '/h/op/.local/share/stillpoint'],
  [{ data: 'here' }, { STILLPOINT_DATA: '/srv/sp' }, '/w/here'],
])('the data directory for %j in %j is %s', (options, given, expected) => {
  const surroundings = { environment: given, homeDirectory: '/h/op', workingDirectory: '/w' };
  expect(dataDirectory(options, surroundings as unknown as Surroundings)).toBe(expected);
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
