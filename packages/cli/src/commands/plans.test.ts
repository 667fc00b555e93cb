import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { problemOf } from '@stillpoint/contract';
import { afterEach, describe, expect, test } from 'vitest';
import { beginTrial, type Replies, Reply, type Trial } from '../trial.ts';
import { aPlan, aRun } from '../trial-objects.ts';

let trial: Trial | undefined;

afterEach(async () => {
  await trial?.end();
  trial = undefined;
});

async function run(replies: Replies, ...args: string[]) {
  trial = await beginTrial(replies);
  return trial.run(...args);
}

const skipped = { estimatedBytes: null, estimatedSeconds: null };
const preview = {
  plan: 'nightly',
  previewedAt: '2026-03-29T01:00:00.000Z',
  refusal: { code: 'PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW', sentence: 'It is outside the window.' },
  checks: [
    { name: 'backupsEnabled', row: 1, isPassed: true, code: null, sentence: 'They are.' },
    {
      name: 'windowOpen',
      row: 2,
      isPassed: false,
      code: 'PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW',
      sentence: 'It is closed.',
    },
  ],
  window: {
    isOpen: false,
    timezone: 'Europe/Zurich',
    opensAt: '2026-03-29T20:00:00.000Z',
    closesAt: null,
    isLongEnough: null,
    sentence: 'It opens later.',
  },
  tasks: [
    {
      action: 'SECURE_BACKUP',
      device: 'QA1',
      domain: null,
      status: 'WAITING',
      reasonCode: null,
      sentence: null,
      estimatedBytes: 5_000,
      estimatedSeconds: 12,
    },
    {
      action: 'EXPORT_DOMAIN',
      device: 'QA1',
      domain: 'NEW',
      status: 'WAITING',
      reasonCode: null,
      sentence: null,
      ...skipped,
    },
    {
      action: 'EXPORT_DOMAIN',
      device: 'TEST9',
      domain: 'DOMAIN*',
      status: 'SKIPPED',
      reasonCode: 'SKIPPED_DEVICE_NOT_AVAILABLE',
      sentence: 'TEST9 does not answer.',
      ...skipped,
    },
  ],
  estimate: { bytes: 5_000, tasksOfUnknownBytes: 1, durationSeconds: 24, tasksOfUnknownDuration: 1 },
  missingScripts: [{ name: 'a.sh', code: 'SCRIPT_NOT_FOUND', sentence: 'There is no a.sh.' }],
  warnings: ['"default" cannot be quiesced.'],
};

describe('plan preview', () => {
  test('shows checks, estimates, the window and every task with what is known of it', async () => {
    const { exitCode, out } = await run(
      { 'POST /plans/nightly/preview': preview },
      'plan',
      'preview',
      'nightly',
    );
    expect(exitCode).toBe(0);
    expect(out).toBe(`\
A run begun now would be refused: It is outside the window. (PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW)

ROW  CHECK           ANSWER                                    FINDING
1    backupsEnabled  passed                                    They are.
2    windowOpen      PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW  It is closed.

Tasks            2 to do, 1 skipped
Estimated bytes  5000, and unknown for 1 tasks
Estimated time   at least 24 s, and unknown for 1 tasks
Window           It opens later. (Europe/Zurich)

ACTION         DEVICE  DOMAIN   STATUS   BYTES    WHY
SECURE_BACKUP  QA1     -        WAITING  5000     -
EXPORT_DOMAIN  QA1     NEW      WAITING  unknown  -
EXPORT_DOMAIN  TEST9   DOMAIN*  SKIPPED  -        TEST9 does not answer.

Warning: There is no a.sh. (SCRIPT_NOT_FOUND)
Warning: "default" cannot be quiesced.
`);
  });

  test('says when a run would have nothing to do, and that nothing is known yet', async () => {
    const fresh = {
      ...preview,
      refusal: null,
      window: null,
      tasks: [],
      estimate: { bytes: null, tasksOfUnknownBytes: 0, durationSeconds: null, tasksOfUnknownDuration: 0 },
    };
    const { out } = await run({ 'POST /plans/nightly/preview': fresh }, 'plan', 'preview', 'nightly');
    expect(out).toContain('A run begun now would end at once: it has no task to do.\n');
    expect(out).toContain('Estimated bytes  unknown\n');
    expect(out).toContain('Plan "nightly" yields no task.');
  });

  test('says when a run would begin', async () => {
    const passed = { ...preview, refusal: null };
    const { out } = await run({ 'POST /plans/nightly/preview': passed }, 'plan', 'preview', 'nightly');
    expect(out).toContain('A run begun now would begin.\n');
  });

  const document = 'plans:\n  - name: one\n  - name: two\n    description: new\n';

  async function previewFile(replies: Replies, ...args: string[]) {
    trial = await beginTrial(replies);
    await writeFile(join(trial.folder, 'plans.yaml'), document);
    return trial.run('plan', 'preview', ...args, '--file', 'plans.yaml');
  }

  test('of a file sends its plans, which are not saved', async () => {
    const { exitCode, out } = await previewFile({ 'POST /plan-previews': preview });
    expect(exitCode).toBe(0);
    expect(trial?.seen.map(({ body }) => body)).toEqual([
      { name: 'one' },
      { name: 'two', description: 'new' },
    ]);
    expect(out.match(/^Plan "nightly"$/gm)).toHaveLength(2);
  });

  test('of one plan of a file sends that one', async () => {
    const { out } = await previewFile({ 'POST /plan-previews': preview }, 'two', '--json');
    expect(trial?.seen.map(({ body }) => body)).toEqual([{ name: 'two', description: 'new' }]);
    expect(JSON.parse(out)).toEqual(preview);
  });

  test('of a file names the line of what is wrong with a plan', async () => {
    const errors = [{ path: '/description', code: 'PLAN_INVALID', message: 'It is too new.' }];
    const problem = problemOf({ code: 'DOCUMENT_REFUSED', detail: 'It is too new.', errors });
    const { exitCode, error } = await previewFile({ 'POST /plan-previews': new Reply(422, problem) }, 'two');
    expect(exitCode).toBe(4);
    expect(error).toContain('plans.yaml:4');
  });

  test('of a file without the plan, or of nothing, is a mistake of usage', async () => {
    expect((await previewFile({}, 'three')).error).toContain('has no plan "three"');
    await trial?.end();
    const { exitCode, error } = await run({}, 'plan', 'preview');
    expect(exitCode).toBe(2);
    expect(error).toContain('Say which plan');
  });
});

describe('plan show', () => {
  test('tells the policies, the next fires, and which fires started no run', async () => {
    const leftOutFires = [
      {
        reason: 'OVERLAP',
        fires: 2,
        firstAt: '2026-03-28T01:00:00.000Z',
        lastAt: '2026-03-28T02:00:00.000Z',
        noticedAt: '2026-03-28T02:00:00.000Z',
        runId: 'r0',
        sentence: '2 fires were left out because run r0 had not ended.',
      },
    ];
    const { out } = await run(
      { 'GET /plans/nightly': { ...aPlan, leftOutFires } },
      'plan',
      'show',
      'nightly',
    );
    expect(out).toContain('Missed fires       one run makes up for them\n');
    expect(out).toContain('Next fires         2026-03-29T01:00:00.000Z\n');
    expect(out).toContain('OVERLAP  2 fires were left out because run r0 had not ended.');
  });

  test('says when none was left out', async () => {
    const { out } = await run({ 'GET /plans/nightly': aPlan }, 'plan', 'show', 'nightly');
    expect(out).toContain('No fire of this plan was left out lately.');
    expect(out).toContain('Schedule           0 0 2 * * ?\n');
    expect(out).toContain('In words           At 02:00 (Europe/Zurich)\n');
  });

  test('shows a Unix line as it was translated', async () => {
    const scheduleRead = { expression: '0 30 2 ? * MON-FRI', words: 'At 02:30, Monday through Friday (UTC)' };
    const plan = { ...aPlan, schedule: '30 2 * * 1-5', scheduleRead };
    const { out } = await run({ 'GET /plans/nightly': plan }, 'plan', 'show', 'nightly');
    expect(out).toContain('Schedule           30 2 * * 1-5 (that is 0 30 2 ? * MON-FRI)\n');
  });
});

describe('plan calendar', () => {
  const fire = {
    at: '2026-03-29T01:00:00.000Z',
    plan: 'nightly',
    isWindowOpen: true,
    sentence: null,
    overlaps: [],
  };
  const calendar = {
    from: '2026-03-29T00:00:00.000Z',
    until: '2026-04-05T00:00:00.000Z',
    fires: [
      fire,
      {
        ...fire,
        plan: 'weekly',
        isWindowOpen: false,
        sentence: 'Would be skipped: it is closed.',
        overlaps: ['nightly'],
      },
    ],
    notes: ['Of plan "each second" only the first 200 fires are listed.'],
  };

  test('lists fires in their order, with what keeps them from running', async () => {
    const { out } = await run({ 'GET /plan-calendar': calendar }, 'plan', 'calendar');
    expect(trial?.seen[0]?.url).toBe('/api/v1/plan-calendar?days=7');
    expect(out).toBe(`\
AT                        PLAN     WINDOW  MAY MEET  REMARK
2026-03-29T01:00:00.000Z  nightly  open    -         -
2026-03-29T01:00:00.000Z  weekly   closed  nightly   Would be skipped: it is closed.
Note: Of plan "each second" only the first 200 fires are listed.
`);
  });

  test('says when nothing fires, and takes days from 1 to 62', async () => {
    const { out } = await run(
      { 'GET /plan-calendar': { ...calendar, fires: [] } },
      'plan',
      'calendar',
      '--days',
      '62',
    );
    expect(out).toBe('No plan fires before 2026-04-05T00:00:00.000Z.\n');
    for (const days of ['0', '63', '-1', '1.5']) {
      const { exitCode } = (await trial?.run('plan', 'calendar', '--days', days)) ?? {};
      expect(exitCode).toBe(2);
    }
  });
});

describe('a window that is overridden', () => {
  const replies = { 'POST /plans/a%20b/runs': new Reply(202, aRun) };

  test.each([['plan run'], ['run start']])('by %s sends the written reason', async (command) => {
    const args = [...command.split(' '), 'a b', '--override-window', '--reason', 'fix pack tonight'];
    expect((await run(replies, ...args)).exitCode).toBe(0);
    expect(trial?.seen[0]?.body).toEqual({ windowOverrideReason: 'fix pack tonight' });
  });

  test.each([[['--override-window']], [['--reason', 'fix pack tonight']]])(
    'needs a reason, and a reason needs it: %j alone is a mistake of usage',
    async (flags) => {
      const { exitCode, error } = await run(replies, 'plan', 'run', 'a b', ...flags);
      expect(exitCode).toBe(2);
      expect(error).toMatch(/reason/);
      expect(trial?.seen).toEqual([]);
    },
  );
});
