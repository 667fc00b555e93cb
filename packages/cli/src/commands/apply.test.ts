import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { problemOf } from '@stillpoint/contract';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { beginTrial, type Replies, Reply, type Trial } from '../trial.ts';

const outcome = {
  dryRun: false,
  objects: [
    { kind: 'device', name: 'QA1', outcome: 'created' },
    { kind: 'plan', name: 'nightly', outcome: 'unchanged' },
  ],
  warnings: [] as string[],
};
let replies: Replies;
let trial: Trial;

beforeEach(async () => {
  replies = {
    'POST /apply': ({ url }: { url: string }) => ({ ...outcome, dryRun: url.includes('dryRun=true') }),
  };
  trial = await beginTrial(replies);
});

afterEach(() => trial.end());

async function apply(yaml: string, ...flags: string[]) {
  await writeFile(join(trial.folder, 'plans.yaml'), yaml);
  return trial.run('apply', '-f', 'plans.yaml', ...flags);
}

const device = 'name: QA1, host: 127.0.0.1, username: backup';

test('sends the document and says what became of each object', async () => {
  const { exitCode, out, error } = await apply(`
parameters: { store.path: /mnt/backups, store.requireRemoteMount: true }
devices:
  - { ${device}, password: secret, tls: { insecure: true }, tags: { env: QA } }
plans:
  - name: nightly
    schedule: "0 0 2 * * ?"
    window: ["22:00-06:00"]
    blackoutDates: [2026-12-24, 2026-12-24/2026-12-26]
    activities:
      - exportDomain: { devices: QA1, domains: "*" }
`);
  expect({ exitCode, error }).toEqual({ exitCode: 0, error: '' });
  expect(out).toBe('KIND    NAME     OUTCOME\ndevice  QA1      created\nplan    nightly  unchanged\n');
  expect(trial.seen).toMatchObject([
    {
      url: '/api/v1/apply?dryRun=false',
      body: {
        parameters: { 'store.path': '/mnt/backups', 'store.requireRemoteMount': true },
        devices: [{ name: 'QA1', password: 'secret', tls: { insecure: true }, tags: { env: 'QA' } }],
        plans: [{ window: ['22:00-06:00'], blackoutDates: ['2026-12-24', '2026-12-24/2026-12-26'] }],
      },
    },
  ]);
});

test('tells what is doubtful about the document', async () => {
  const warnings = ['Plan nightly: The script "x.sh" does not exist.'];
  replies['POST /apply'] = { ...outcome, warnings };
  const { exitCode, out } = await apply('{}', '--dry-run');
  expect(exitCode).toBe(0);
  expect(out).toContain('\n\nWarning: Plan nightly: The script "x.sh" does not exist.\n');
  expect(JSON.parse((await apply('{}', '--json')).out).warnings).toEqual(warnings);
});

test('a dry run asks for one and says that nothing was changed', async () => {
  const { out } = await apply('{}', '--dry-run');
  expect(out).toContain('nothing was changed');
  expect(trial.seen[0]?.url).toBe('/api/v1/apply?dryRun=true');
});

test('prints the outcome as JSON', async () => {
  expect(JSON.parse((await apply('{}', '--json')).out)).toEqual(outcome);
});

describe('files that a device names', () => {
  test('are read relative to the YAML file and sent instead of their names', async () => {
    await mkdir(join(trial.folder, 'deep'));
    await writeFile(join(trial.folder, 'deep', 'password'), ' a b \n');
    await writeFile(join(trial.folder, 'deep', 'ca.pem'), 'PEM\n');
    await writeFile(
      join(trial.folder, 'deep', 'plans.yaml'),
      `devices:
  - { ${device}, passwordFile: password, tls: { caFile: ca.pem } }
  - { name: QA2, host: h, username: u, tls: { ca: { caFile: ./ca.pem } } }
`,
    );
    expect(await trial.run('apply', '-f', 'deep/plans.yaml')).toMatchObject({ exitCode: 0, error: '' });
    expect(trial.seen[0]?.body).toEqual({
      devices: [
        { name: 'QA1', host: '127.0.0.1', username: 'backup', password: ' a b ', tls: { ca: 'PEM' } },
        { name: 'QA2', host: 'h', username: 'u', tls: { ca: 'PEM' } },
      ],
    });
  });

  test('are refused by name when they cannot be read, are empty, or stand beside the value', async () => {
    await writeFile(join(trial.folder, 'empty'), '\n');
    const { exitCode, error } = await apply(`devices:
  - { ${device}, passwordFile: nowhere, tls: { caFile: empty } }
  - { name: QA2, host: h, username: u, password: hunter2, passwordFile: empty, tls: { system: true } }
  - { name: QA3, host: h, username: u, passwordFile: 7, tls: { system: true } }
`);
    expect(exitCode).toBe(2);
    expect(
      error,
    ).toBe(`stillpoint: The file plans.yaml has 4 mistakes. Correct the lines that are named and try again.
  plans.yaml:2: /devices/0/passwordFile names ${trial.folder}/nowhere, which cannot be read (ENOENT)
  plans.yaml:2: /devices/0/tls/caFile names ${trial.folder}/empty, which is empty
  plans.yaml:3: /devices/1/passwordFile cannot stand beside password
  plans.yaml:4: /devices/2/passwordFile must be the path of a file
`);
    expect(trial.seen).toEqual([]);
  });
});

describe('a mistake in the file', () => {
  test('of its keys or values is told with file, line and key, all at once, and nothing is sent', async () => {
    const { exitCode, error } = await apply(`devices:
  - name: QA1
    host: 127.0.0.1
    user: backup
    tls:
      system: true
plans:
  - name: nightly
    window: 22:00-06:00
    activities:
      - secureBackup:
          devices: QA*
          certificate: dr-cert
          errorPolicy: stop
`);
    expect(exitCode).toBe(2);
    expect(error.split('\n').slice(1)).toEqual([
      '  plans.yaml:2: /devices/0/username is required and missing',
      '  plans.yaml:4: /devices/0/user "user" is not a key that is known here',
      '  plans.yaml:9: /plans/0/window must be one of "default", "none" or a list, not "22:00-06:00"',
      '  plans.yaml:14: /plans/0/activities/0/secureBackup/errorPolicy must be one of "plan", "halt", "ignore", not "stop"',
      '',
    ]);
    expect(trial.seen).toEqual([]);
  });

  test.each([
    ['a tab', 'devices:\n\t- x\n', 2],
    ['a key twice', 'plans: []\ndevices: []\nplans: []\n', 3],
    ['an open bracket', 'devices: [\n', 2],
    ['a tag that is not known', 'plans:\n  - !!js/function "x"\n', 2],
    ['two documents', 'plans: []\n---\nplans: []\n', 2],
  ])('of its YAML (%s) is told with its line', async (_, yaml, line) => {
    const { exitCode, error } = await apply(yaml);
    expect(exitCode).toBe(2);
    expect(error).toContain(`plans.yaml:${line}: not well-formed YAML: `);
  });

  test('of its YAML does not quote the line, which may hold a password', async () => {
    expect((await apply(`devices:\n  - { ${device}, password: hunter2: x }\n`)).error).not.toContain(
      'hunter2',
    );
  });

  test('that multiplies aliases is refused before it fills the memory', async () => {
    const levels = Array.from(
      { length: 12 },
      (_, n) => `a${n + 1}: &a${n + 1} [${Array(9).fill(`*a${n}`).join(', ')}]`,
    );
    const { exitCode, error } = await apply(`a0: &a0 [x]\n${levels.join('\n')}\n`);
    expect(exitCode).toBe(2);
    expect(error).toContain('repeats aliases without end');
  });

  test('with an alias is told at the line that the alias stands for', async () => {
    const { error } = await apply(`devices:
  - { ${device}, tls: &trust { sistem: true } }
  - { name: QA2, host: h, username: u, tls: *trust }
`);
    expect(error.match(/plans.*"sistem/g)).toEqual([
      expect.stringMatching(/^plans\.yaml:2: \/devices\/0\/tls/),
      expect.stringMatching(/^plans\.yaml:2: \/devices\/1\/tls/),
    ]);
  });

  test('with --json is a problem with file and line', async () => {
    const { exitCode, out } = await apply('plan: []\n', '--json');
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toMatchObject({
      code: 'FILE_NOT_VALID',
      errors: [{ path: '/plan', code: 'UNKNOWN_KEY', file: 'plans.yaml', line: 1 }],
    });
  });

  test('is told before anything else when the file is not there', async () => {
    const { exitCode, error } = await trial.run('apply', '-f', 'nowhere.yaml');
    expect(exitCode).toBe(2);
    expect(error).toContain('The file nowhere.yaml cannot be read: ENOENT.');
  });
});

test('a refusal of the server is told with the lines of the file, one mistake in one line', async () => {
  const hour = { path: '/plans/0/schedule', code: 'SCHEDULE_INVALID', message: 'There is no hour 25.' };
  const zone = { path: '/plans/0/timezone', code: 'TIMEZONE_UNKNOWN', message: 'There is no zone "CET+1".' };
  const refusal = (...errors: (typeof hour)[]) => {
    const detail = errors.map(({ message }) => message).join(' ');
    return new Reply(422, problemOf({ code: 'DOCUMENT_REFUSED', detail, errors }));
  };
  const yaml = 'plans:\n  - name: nightly\n    schedule: 0 0 25 * * ?\n    timezone: CET+1\n';
  replies['POST /apply'] = refusal(hour);
  expect(await apply(yaml)).toMatchObject({
    exitCode: 4,
    error:
      'stillpoint: plans.yaml:3: /plans/0/schedule There is no hour 25. Correct the fields that are named and apply it again.\n',
  });
  replies['POST /apply'] = refusal(hour, zone);
  expect(await apply(yaml)).toMatchObject({
    exitCode: 4,
    error: `stillpoint: The document has mistakes, so nothing of it was applied. Correct the fields that are named and apply it again.
  plans.yaml:3: /plans/0/schedule There is no hour 25.
  plans.yaml:4: /plans/0/timezone There is no zone "CET+1".
`,
  });
});
