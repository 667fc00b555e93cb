import { afterEach, describe, expect, test } from 'vitest';
import { beginTrial, type Replies, type Trial } from '../trial.ts';
import { aNotice } from '../trial-objects.ts';

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

const delivered = {
  ...aNotice,
  id: 'o2',
  channel: 'webhook',
  state: 'DELIVERED',
  attempts: 1,
  lastProblem: null,
  nextTryAt: null,
  endedAt: '2026-03-29T01:00:00.000Z',
};

const cases: { args: string; replies: Replies; text: string }[] = [
  {
    args: 'notice list',
    replies: { 'GET /notices': { items: [aNotice, delivered], nextCursor: null } },
    text: `
ID  CREATED                   CHANNEL  STATE      TRIES  NEXT TRY                  MESSAGE
o1  2026-03-29T01:00:00.000Z  email    WAITING    2      2026-03-29T01:00:00.000Z  The run of nightly ended FAILED. The mail server mail:25 cannot be reached (ECONNREFUSED).
o2  2026-03-29T01:00:00.000Z  webhook  DELIVERED  1      -                         The run of nightly ended FAILED.`,
  },
  {
    args: 'notice retry o1',
    replies: { 'POST /notices/o1/retry': aNotice },
    text: '\nThe notice by email is tried again now, after 2 tries.',
  },
  {
    args: 'notify test',
    replies: {
      'POST /notices/test': {
        channels: [
          { channel: 'email', outcome: 'notSetUp', sentence: 'The parameter mail.server is not set.' },
          { channel: 'webhook', outcome: 'sent', sentence: 'The test was sent.' },
        ],
      },
    },
    text: `
CHANNEL  OUTCOME     MESSAGE
email    not set up  The parameter mail.server is not set.
webhook  sent        The test was sent.`,
  },
];

describe.each(cases)('stillpoint $args', ({ args, replies, text }) => {
  test('prints text for people, and the same facts as JSON for programs', async () => {
    trial = await beginTrial(replies);
    expect(await trial.run(...args.split(' '))).toEqual({
      exitCode: 0,
      out: `${text.slice(1)}\n`,
      error: '',
    });
    const { out } = await trial.run(...args.split(' '), '--json');
    const { nextCursor: _, ...value } = Object.values(replies)[0] as { nextCursor?: null };
    expect(JSON.parse(out)).toEqual(value);
  });
});

test('notice list asks for what it was told to', async () => {
  trial = await beginTrial({ 'GET /notices': { items: [], nextCursor: null } });
  expect((await trial.run('notice', 'list')).out).toBe('There is no notice.\n');
  await trial.run('notice', 'list', '--state', 'GIVEN_UP', '--channel', 'syslog', '--limit', '7');
  expect(trial.seen.map(({ url }) => url)).toEqual([
    '/api/v1/notices?limit=40',
    '/api/v1/notices?limit=7&state=GIVEN_UP&channel=syslog',
  ]);
});

test.each([
  ['failed', 1],
  ['notSetUp', 3],
  ['sent', 0],
])('notify test of one channel that comes to %s ends with %i', async (outcome, exitCode) => {
  trial = await beginTrial({
    'POST /notices/test': { channels: [{ channel: 'syslog', outcome, sentence: 'So it was.' }] },
  });
  expect((await trial.run('notify', 'test', 'syslog')).exitCode).toBe(exitCode);
  expect(trial.seen.at(-1)?.body).toEqual({ channel: 'syslog' });
});
