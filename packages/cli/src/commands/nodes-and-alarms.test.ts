import { afterEach, describe, expect, test } from 'vitest';
import { beginTrial, type Replies, type Trial } from '../trial.ts';
import { aNode, anAlarm } from '../trial-objects.ts';

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

const cases: { args: string; replies: Replies; text: string }[] = [
  {
    args: 'node list',
    replies: {
      'GET /nodes': {
        items: [
          aNode,
          {
            ...aNode,
            name: 'backup-2',
            state: 'gone',
            isAnswering: false,
            url: null,
            heartbeatAgeMs: 61_000,
          },
        ],
      },
    },
    text: `
NAME                 STATE    VERSION  TASKS    HEARD OF    STARTED                   ADDRESS
backup-1 (this one)  running  1.2.3    2 of 16  0.7 s ago   2026-03-29T01:00:00.000Z  http://127.0.0.1:7420
backup-2             gone     1.2.3    2 of 16  61.0 s ago  2026-03-29T01:00:00.000Z  -`,
  },
  {
    args: 'node drain backup-1',
    replies: {
      'POST /nodes/backup-1/drain': {
        ...aNode,
        state: 'draining',
        sentence: 'backup-1 begins nothing more.',
      },
    },
    text: '\nbackup-1 begins nothing more.',
  },
  {
    args: 'node resume backup-1',
    replies: { 'POST /nodes/backup-1/resume': aNode },
    text: '\nbackup-1 runs.',
  },
  {
    args: 'alarm list',
    replies: {
      'GET /alarms': {
        items: [
          anAlarm,
          {
            ...anAlarm,
            closedAt: '2026-03-29T01:05:00.000Z',
            acknowledgement: { at: '2026-03-29T01:01:00.000Z', by: 'operator', note: null },
            lastProblem: null,
          },
        ],
        nextCursor: null,
      },
    },
    text: `
ID  CODE                  SUBJECT     OPENED                    CLOSED                    ACKNOWLEDGED              MESSAGE
a1  DEVICE_LEFT_QUIESCED  device QA1  2026-03-29T01:00:00.000Z  open                      -                         QA1/DOMAIN1 was left quiesced. QA1 does not answer. See whether it answers.
a1  DEVICE_LEFT_QUIESCED  device QA1  2026-03-29T01:00:00.000Z  2026-03-29T01:05:00.000Z  2026-03-29T01:01:00.000Z  QA1/DOMAIN1 was left quiesced. See whether it answers.`,
  },
  {
    args: 'alarm acknowledge a1',
    replies: { 'POST /alarms/a1/acknowledge': anAlarm },
    text: `
The alarm DEVICE_LEFT_QUIESCED of device QA1 is acknowledged; it is still open.`,
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

test('alarm list shows the open ones unless it is told otherwise; a note goes with the acknowledgement', async () => {
  trial = await beginTrial({
    'GET /alarms': { items: [], nextCursor: null },
    'POST /alarms/a1/acknowledge': anAlarm,
  });
  expect((await trial.run('alarm', 'list')).out).toBe('There is no alarm.\n');
  await trial.run('alarm', 'list', '--all', '--limit', '7');
  await trial.run('alarm', 'acknowledge', 'a1', '--note', 'no power until Monday');
  expect(trial.seen.map(({ url }) => url)).toEqual([
    '/api/v1/alarms?limit=40&state=open',
    '/api/v1/alarms?limit=7&state=all',
    '/api/v1/alarms/a1/acknowledge',
  ]);
  expect(trial.seen.at(-1)?.body).toEqual({ note: 'no power until Monday' });
});
