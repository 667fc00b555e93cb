import { problemOf } from '@stillpoint/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { beginTrial, type Replies, Reply, type Trial } from './trial.ts';
import {
  aBackup,
  aDevice,
  aGuard,
  aParameter,
  aPlan,
  aRun,
  aScriptOutput,
  aStore,
  aTask,
} from './trial-objects.ts';

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

async function run(replies: Replies, ...args: string[]) {
  trial = await beginTrial(replies);
  return trial.run(...args);
}

const deviceTest = {
  device: 'QA1',
  isUsable: false,
  sentence: 'QA1 refused the password of "backup".',
  checks: [{ name: 'login', outcome: 'failed', sentence: 'The password was refused.' }],
  firmwareVersion: null,
  model: null,
  serial: null,
  backupMode: null,
  clockDifferenceMs: -1500,
  domains: [],
  testedAt: '2026-03-29T01:00:00.000Z',
};

const rescan = {
  manifestsRead: 3,
  backupsAdded: 1,
  backupsUnchanged: 2,
  backupsMissing: 0,
  backupsDamaged: 0,
  problems: [{ path: 'QA1/x', sentence: 'has no manifest' }],
};

const ended = {
  ...aRun,
  status: 'PARTIAL' as const,
  endedAt: '2026-03-29T01:05:00.000Z',
  counters: { ...aRun.counters, devices: 2, domains: 1, succeeded: 1, failed: 1 },
  sentence: 'One task failed.',
};

interface Case {
  args: string;
  replies: Replies;
  text: string;
  exitCode?: number;
}

const cases: Case[] = [
  {
    args: 'device list',
    replies: { 'GET /devices': { items: [aDevice] } },
    text: `
NAME  HOST       PORT  USER    TLS       TAGS    ENABLED
QA1   127.0.0.1  5550  backup  insecure  env=QA  yes
Warning: The certificate of QA1 is not checked.`,
  },
  {
    args: 'device test QA1',
    replies: { 'POST /devices/QA1/test': deviceTest },
    exitCode: 4,
    text: `
QA1 refused the password of "backup".

Model             -
Serial            -
Firmware          -
Backup mode       -
Clock difference  -1.5 s
Domains           -

CHECK  OUTCOME  FINDING
login  failed   The password was refused.`,
  },
  {
    args: 'plan list',
    replies: { 'GET /plans': { items: [aPlan] } },
    text: `
NAME     ENABLED  SCHEDULE     TIMEZONE       ACTIVITIES  NEXT FIRE                 LAST RUN
nightly  yes      0 0 2 * * ?  Europe/Zurich  0           2026-03-29T01:00:00.000Z  SUCCEEDED 2026-03-29T01:00:00.000Z`,
  },
  {
    args: 'plan run nightly',
    replies: { 'POST /plans/nightly/runs': new Reply(202, aRun) },
    text: `
Run r1 of plan "nightly" is in the queue; watch it with "stillpoint run watch r1".`,
  },
  {
    args: 'run nightly',
    replies: { 'POST /plans/nightly/runs': new Reply(202, aRun) },
    text: `
Run r1 of plan "nightly" is in the queue; watch it with "stillpoint run watch r1".`,
  },
  {
    args: 'run list',
    replies: { 'GET /runs': { items: [ended], nextCursor: null } },
    text: `
ID  PLAN     STARTED                   STATUS   DEVICES  DOMAINS  OK  FAILED  SKIPPED  MESSAGE
r1  nightly  2026-03-29T01:00:00.000Z  PARTIAL  2        1        1   1       0        One task failed.`,
  },
  {
    args: 'run cancel r1',
    replies: { 'POST /runs/r1/cancel': new Reply(202, { ...aRun, status: 'RUNNING' }) },
    text: `
Run r1 of plan "nightly" is being cancelled; it is RUNNING now.`,
  },
  {
    args: 'backup list',
    replies: { 'GET /backups': { items: [aBackup], nextCursor: null } },
    text: `
TAKEN                     DEVICE  DOMAIN   ACTION         STATE  BYTES  FIRMWARE      FILES
2026-03-29T01:00:00.000Z  QA1     DOMAIN1  EXPORT_DOMAIN  good   12     IDG.10.5.0.0  QA1/domain/DOMAIN1/x.zip`,
  },
  {
    args: 'params',
    replies: {
      'GET /parameters': { items: [aParameter, { ...aParameter, name: 'store.path', value: null }] },
    },
    text: `
NAME              VALUE  DEFAULT  MEANING
devices.parallel  8      16       devices worked on at once
store.path        -      16       devices worked on at once`,
  },
  {
    args: 'params get devices.parallel',
    replies: { 'GET /parameters/devices.parallel': aParameter },
    text: '\n8',
  },
  {
    args: 'store show',
    replies: { 'GET /store': aStore },
    text: `
Path          /mnt/backups
Usable        no
Initialised   yes
Remote mount  no
File system   ext4
Free          50 % (505 of 1000 bytes)
Problem: /mnt/backups is a local disk. Mount the share.`,
    exitCode: 4,
  },
  {
    args: 'store init',
    replies: { 'POST /store/init': { ...aStore, isUsable: true, totalBytes: null, problems: [] } },
    text: `
Path          /mnt/backups
Usable        yes
Initialised   yes
Remote mount  no
File system   ext4
Free          -`,
  },
  {
    args: 'store rescan',
    replies: { 'POST /store/rescan': rescan },
    text: `
Manifests read     3
Backups added      1
Backups unchanged  2
Backups missing    0
Backups damaged    0
QA1/x: has no manifest`,
  },
  {
    args: 'guard list',
    replies: { 'GET /guards': { items: [aGuard] } },
    text: `
DEVICE  DOMAIN   RUN  INTENDED                  QUIESCED  HELD BY       STATE
QA1     DOMAIN1  r1   2026-03-29T01:00:00.000Z  -         being undone  Unquiesce is sent until QA1 answers.`,
  },
];

describe.each(cases)('stillpoint $args', ({ args, replies, text, exitCode = 0 }) => {
  test('prints text for people', async () => {
    expect(await run(replies, ...args.split(' '))).toEqual({
      exitCode,
      out: `${text.slice(1)}\n`,
      error: '',
    });
    expect(trial?.seen.every(({ authorization }) => authorization === 'Bearer the-token')).toBe(true);
  });

  test('prints the same facts as JSON for programs', async () => {
    const { out, ...rest } = await run(replies, ...args.split(' '), '--json');
    expect(rest).toEqual({ exitCode, error: '' });
    const [reply] = Object.values(replies);
    const { nextCursor: _, ...value } = (reply instanceof Reply ? reply.value : reply) as {
      nextCursor?: null;
    };
    expect(JSON.parse(out)).toEqual(value);
  });
});

test('run show prints the run and its tasks, page after page', async () => {
  const second = { ...aTask, id: 't2', domain: null, action: 'SECURE_BACKUP', status: 'FAILED', files: [] };
  const failed = { ...second, sentence: 'QA1 has no certificate "dr-cert".', warnings: ['slow'] };
  const replies: Replies = {
    'GET /runs/r1': ended,
    'GET /runs/r1/tasks': ({ url }: { url: string }) =>
      url.includes('cursor=next')
        ? { items: [failed], nextCursor: null }
        : { items: [aTask], nextCursor: 'next' },
    'GET /runs/r1/scripts': { items: [aScriptOutput] },
  };
  const { out, exitCode } = await run(replies, 'run', 'show', 'r1');
  expect(exitCode).toBe(0);
  expect(out).toBe(`Run      r1
Plan     nightly
Status   PARTIAL
Started  2026-03-29T01:00:00.000Z
Ended    2026-03-29T01:05:00.000Z
Devices  2
Domains  1
Tasks    1 succeeded, 1 failed
Message  One task failed.

ID  ACTION         DEVICE  DOMAIN   STATUS     ENDED                     FILES  BYTES  MESSAGE
t1  EXPORT_DOMAIN  QA1     DOMAIN1  SUCCEEDED  2026-03-29T01:00:00.000Z  1      12     -
t2  SECURE_BACKUP  QA1     -        FAILED     2026-03-29T01:00:00.000Z  0      0      QA1 has no certificate "dr-cert".
Warning for QA1: slow

The post-plan script after.sh ended with exit code 3 at 2026-03-29T01:00:00.000Z.
| told
| nobody
`);
  const json = await trial?.run('run', 'show', 'r1', '--json');
  expect(JSON.parse(json?.out ?? '')).toEqual({
    run: ended,
    tasks: [aTask, failed],
    scripts: [aScriptOutput],
  });
});

test('lists ask for what the flags say and stop at their limit', async () => {
  const replies: Replies = {
    'GET /runs': { items: [aRun, aRun], nextCursor: 'c' },
    'GET /backups': { items: [aBackup], nextCursor: null },
  };
  await run(replies, 'run', 'list', '--plan', 'nightly', '--status', 'FAILED', '--limit', '3');
  await trial?.run('backup', 'list', '--device', 'QA 1', '--domain', 'all-domains');
  expect(trial?.seen.map(({ url }) => url)).toEqual([
    '/api/v1/runs?limit=3&plan=nightly&status=FAILED',
    '/api/v1/runs?limit=1&cursor=c&plan=nightly&status=FAILED',
    '/api/v1/backups?limit=40&device=QA+1&domain=all-domains',
  ]);
});

test.each([
  ['devices.parallel', '9', 16, 9],
  ['backups.enabled', 'false', true, false],
  ['backups.enabled', 'maybe', true, 'maybe'],
  ['store.path', '/mnt/backups', null, '/mnt/backups'],
  ['window.default', '[22:00-06:00, 12:00-13:00]', 'none', ['22:00-06:00', '12:00-13:00']],
  ['timezone', '7', 'UTC', '7'],
])(
  'params set %s %s sends the value in the kind of the parameter',
  async (name, text, defaultValue, sent) => {
    const parameter = { ...aParameter, name, value: null, defaultValue };
    const replies: Replies = {
      [`GET /parameters/${name}`]: parameter,
      [`PUT /parameters/${name}`]: ({ body }: { body: object }) => ({ ...parameter, ...body }),
    };
    const { exitCode, out } = await run(replies, 'params', 'set', name, text);
    expect(exitCode).toBe(0);
    expect(out).toBe(`${name} is ${text} now; it was not set.\n`);
    expect(trial?.seen.at(-1)).toMatchObject({ method: 'PUT', body: { value: sent } });
  },
);

describe('a refusal', () => {
  const problem = problemOf({
    code: 'PARAMETER_REFUSED',
    detail: 'devices.parallel must be at least 1, not 0.',
    errors: [
      { path: '/value', code: 'TOO_SMALL', message: 'must be at least 1' },
      { path: '/value', code: 'NOT_VALID', message: 'must be a whole number' },
    ],
  });
  const replies = { 'GET /parameters/devices.parallel': new Reply(422, problem) };

  test('is one sentence with its remedy on standard error, and whatever the sentence does not say yet', async () => {
    expect(await run(replies, 'params', 'get', 'devices.parallel')).toEqual({
      exitCode: 4,
      out: '',
      error:
        'stillpoint: devices.parallel must be at least 1, not 0. Choose a value within the bounds that are named.\n' +
        '  /value must be a whole number\n',
    });
  });

  test('is the problem itself with --json', async () => {
    const { exitCode, out, error } = await run(replies, '--json', 'params', 'get', 'devices.parallel');
    expect({ exitCode, error }).toEqual({ exitCode: 4, error: '' });
    expect(JSON.parse(out)).toEqual(problem);
  });

  test.each([
    ['run', 'nightly', '--waitt'],
    ['device', 'test'],
    ['bogus'],
    ['apply'],
    ['run', 'list', '--limit', '0'],
    ['run', 'list', 'nightly'],
    ['device'],
    [],
  ])('of a command that is not understood ends in 2 and asks no server: %s %s %s', async (...args) => {
    const { exitCode, error, out } = await run({}, ...args.filter((arg) => arg !== undefined));
    expect({ exitCode, out }).toEqual({ exitCode: 2, out: '' });
    expect(error).toMatch(/--help|Usage:/);
    expect(trial?.seen).toEqual([]);
  });

  test('of a command that is not understood is a problem with --json', async () => {
    const { exitCode, out } = await run({}, 'bogus', '--json');
    expect(exitCode).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ code: 'USAGE_NOT_VALID', detail: "Unknown command 'bogus'." });
  });
});

test('a name that would move the cursor of the terminal is made harmless', async () => {
  const { out } = await run(
    { 'GET /devices': { items: [{ ...aDevice, host: '\u001b[2Jx' }] } },
    'device',
    'list',
  );
  expect(out).toContain('?[2Jx');
  expect(out).not.toContain('\u001b');
});

test.each([['--help'], ['run', '--help'], ['plan', 'run', '--help'], ['apply', '--help'], ['--version']])(
  '%s %s %s is answered on standard output',
  async (...args) => {
    const { exitCode, out, error } = await run({}, ...args.filter((arg) => arg !== undefined));
    expect({ exitCode, error }).toEqual({ exitCode: 0, error: '' });
    expect(out).toMatch(/Usage: stillpoint|^\d+\.\d+\.\d+\n$/);
  },
);

test('the help of a command shows an example of it', async () => {
  expect((await run({}, 'plan', 'run', '--help')).out).toContain('stillpoint plan run nightly --wait');
});
