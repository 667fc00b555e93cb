import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import type { Surroundings } from '../surroundings.ts';
import { beginTrial, type Trial } from '../trial.ts';
import { aParameter } from '../trial-objects.ts';

const SECRET = 'planted-secret';

const secret = (isSet: boolean) => ({
  ...aParameter,
  name: 'mail.password',
  value: null,
  defaultValue: null,
  meaning: 'password at the mail server',
  isSecret: true,
  isSet,
});

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

const begin = async (changes: Partial<Surroundings> = {}): Promise<Trial> => {
  trial = await beginTrial(
    {
      'GET /parameters/mail.password': secret(false),
      'PUT /parameters/mail.password': secret(true),
      'GET /parameters/devices.parallel': aParameter,
      'GET /parameters': { items: [secret(true), secret(false)] },
    },
    changes,
  );
  return trial;
};

const sent = () => trial?.seen.find(({ method }) => method === 'PUT')?.body;

describe('a secret parameter', () => {
  test('is asked for, and only that it is set is printed', async () => {
    const { run } = await begin({ askSecret: async () => SECRET });
    const { exitCode, out, error } = await run('params', 'set', 'mail.password');
    expect([exitCode, out, error]).toEqual([0, 'mail.password is set now.\n', '']);
    expect(sent()).toEqual({ value: SECRET });
  });

  test('is read from a file, without the line break at its end', async () => {
    const { run, folder } = await begin();
    await writeFile(join(folder, 'password'), `${SECRET}\n`);
    expect((await run('params', 'set', 'mail.password', '--file', 'password')).exitCode).toBe(0);
    expect(sent()).toEqual({ value: SECRET });
  });

  test('is read from the environment', async () => {
    const { run, url } = await begin({
      environment: { STILLPOINT_TOKEN: 'the-token', MAIL_PASSWORD: SECRET },
    });
    const { exitCode } = await run(
      ...['params', 'set', 'mail.password', '--from-env', 'MAIL_PASSWORD', '--server', url],
    );
    expect(exitCode).toBe(0);
    expect(sent()).toEqual({ value: SECRET });
  });

  test('is not taken as an argument, where every user of the machine could see it', async () => {
    const { run } = await begin({ askSecret: async () => SECRET });
    const { exitCode, error } = await run('params', 'set', 'mail.password', SECRET);
    expect(exitCode).toBe(2);
    expect(error).toContain('mail.password is secret: leave its value out');
    expect(error).not.toContain(SECRET);
    expect(sent()).toBeUndefined();
  });

  test('is unset by an empty text', async () => {
    const { run } = await begin();
    expect((await run('params', 'set', 'mail.password', '')).exitCode).toBe(0);
    expect(sent()).toEqual({ value: '' });
  });

  test.each([null, ''])('stays as it is when the answer is %o', async (answer) => {
    const { run } = await begin({ askSecret: async () => answer });
    expect((await run('params', 'set', 'mail.password')).exitCode).toBe(2);
    expect(sent()).toBeUndefined();
  });

  test('is listed as set or not set', async () => {
    const { run } = await begin();
    expect((await run('params', 'list')).out).toBe(
      [
        'NAME           VALUE    DEFAULT  MEANING',
        'mail.password  set      -        password at the mail server',
        'mail.password  not set  -        password at the mail server',
        '',
      ].join('\n'),
    );
    expect((await run('params', 'get', 'mail.password')).out).toBe('not set\n');
  });
});

test.each([
  [['params', 'set', 'mail.password'], 'Nobody can be asked for mail.password here'],
  [['params', 'set', 'devices.parallel'], 'A value for devices.parallel is missing.'],
  [['params', 'set', 'devices.parallel', '8', '--from-env', 'X'], 'The value is given once'],
  [
    ['params', 'set', 'mail.password', '--from-env', 'NOT_THERE'],
    'The variable NOT_THERE is not in the environment.',
  ],
  [['params', 'set', 'mail.password', '--file', 'nowhere'], 'The file nowhere cannot be read: ENOENT.'],
])('%j is a mistake of usage', async (args, message) => {
  const { run } = await begin();
  const { exitCode, error } = await run(...args);
  expect(exitCode).toBe(2);
  expect(error).toContain(message);
  expect(sent()).toBeUndefined();
});

test('apply reads a parameter from a file that the document names', async () => {
  trial = await beginTrial({ 'POST /apply': { dryRun: false, objects: [], warnings: [] } });
  await writeFile(join(trial.folder, 'password'), `${SECRET}\n`);
  await writeFile(
    join(trial.folder, 'plans.yaml'),
    'parameters:\n  devices.parallel: 4\n  mail.password: { file: password }\n',
  );
  expect((await trial.run('apply', '-f', 'plans.yaml')).exitCode).toBe(0);
  expect(trial.seen.at(-1)?.body).toMatchObject({
    parameters: { 'devices.parallel': 4, 'mail.password': SECRET },
  });
  await writeFile(join(trial.folder, 'plans.yaml'), 'parameters:\n  mail.password: { file: nowhere }\n');
  const { exitCode, error } = await trial.run('apply', '-f', 'plans.yaml');
  expect(exitCode).toBe(2);
  expect(error).toContain('plans.yaml:2');
});
