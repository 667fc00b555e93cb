import { describe, expect, it } from 'vitest';
import type { TaskEffectType } from './task-effect.ts';
import type { TaskCommand } from './task-fact.ts';
import type { TaskSpec } from './task-spec.ts';
import { exportTask, faultReply, secureBackupTask, TASK_START } from './testing/build-task.ts';
import {
  driveTask,
  endOf,
  type Interference,
  operatorsCancel,
  type TaskDrive,
  warningsOf,
} from './testing/drive-task.ts';

const scripts: Partial<TaskSpec> = {
  isQuiesceAsked: true,
  preTaskScript: 'before.sh',
  postTaskScript: { script: 'after.sh', when: 'always' },
};
const kinds: [string, TaskSpec][] = [
  ['an export', exportTask(scripts)],
  ['a secure backup', secureBackupTask(scripts)],
];

type Step = readonly [effect: TaskEffectType, index: number];

/** The steps of a task up to the publication; the second look is the first one after the quiesce. */
const stepsBefore = (spec: TaskSpec): Step[] => [
  ['checkStore', 0],
  ['look', 0],
  ...(spec.secureBackup === null ? [] : ([['inspectSecureBackup', 0]] as Step[])),
  ['runPreScript', 0],
  ['quiesce', 0],
  ['look', 1],
  ...(spec.secureBackup === null
    ? ([['fetchExport', 0]] as Step[])
    : ([
        ['createSecureBackup', 0],
        ['fetchSecureBackup', 0],
      ] as Step[])),
];
const stepsAfter: Step[] = [
  ['unquiesce', 0],
  ['look', 2],
];

const whens = ['before', 'during', 'after'] as const;

function driveWith(
  spec: TaskSpec,
  [effect, index]: Step,
  when: Interference['when'],
  fact: Interference['fact'],
): TaskDrive {
  return driveTask(spec, { interference: [{ when, effect, index, fact }] });
}

/** Nothing of ours is left: the device moves, no guard is open, nothing half-fetched or half-made lies about. */
function expectUndone(drive: TaskDrive): void {
  const { effects } = drive;
  const has = (start: string): boolean => effects.some((effect) => effect.startsWith(start));
  expect([drive.leftQuiesced, drive.isGuardLeft]).toEqual([[], false]);
  expect(effects.includes('unquiesce A') || effects.includes('unquiesce device')).toBe(has('quiesce '));
  expect(effects.includes('discardBackup')).toBe(has('fetch'));
  expect(effects.includes('removeSecureBackup')).toBe(has('createSecureBackup'));
  expect(has('publishBackup')).toBe(false);
}

describe.each(kinds)('%s that another node takes over', (_, spec) => {
  it.each(stepsBefore(spec).flatMap((step) => whens.map((when) => [when, ...step] as const)))(
    'fails INTERRUPTED and is undone: %s %s (%i)',
    (when, effect, index) => {
      const drive = driveWith(spec, [effect, index], when, 'takenOver');
      expect(endOf(drive)).toBe('FAILED INTERRUPTED');
      expectUndone(drive);
    },
  );

  it('says which step was cut off', () => {
    const { verdict } = driveWith(spec, ['runPreScript', 0], 'during', 'takenOver');
    expect(verdict.reason?.detail).toBe(
      'The server stopped while it worked on TEST8 during the step runPreScript.',
    );
  });

  it('does not run the pre-task script again, and runs the post-task script', () => {
    const { effects } = driveWith(spec, ['runPreScript', 0], 'during', 'takenOver');
    expect(effects.filter((effect) => effect === 'runPreScript')).toHaveLength(1);
    expect(effects.at(-1)).toBe('runPostScript');
  });

  it('fails when the publication was cut off, and discards what that left', () => {
    const drive = driveWith(spec, ['publishBackup', 0], 'during', 'takenOver');
    expect(endOf(drive)).toBe('FAILED INTERRUPTED');
    expect(drive.effects).toContain('discardBackup');
    expect([drive.leftQuiesced, drive.isGuardLeft]).toEqual([[], false]);
  });

  it.each(stepsAfter.flatMap((step) => whens.map((when) => [when, ...step] as const)))(
    'succeeds once it is published: %s %s (%i)',
    (when, effect, index) => {
      const drive = driveWith(spec, [effect, index], when, 'takenOver');
      expect(endOf(drive)).toBe('SUCCEEDED -');
      expect(drive.effects).not.toContain('discardBackup');
      expect([drive.leftQuiesced, drive.isGuardLeft]).toEqual([[], false]);
    },
  );

  it('warns when the post-task script was cut off, which is not run again', () => {
    const drive = driveWith(spec, ['runPostScript', 0], 'during', 'takenOver');
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(warningsOf(drive)).toEqual(['INTERRUPTED']);
    expect(drive.effects.filter((effect) => effect === 'runPostScript')).toHaveLength(1);
  });

  it('goes on as if nothing had been when it had not started', () => {
    const drive = driveWith(spec, ['admit', 0], 'during', 'takenOver');
    expect(endOf(drive)).toBe('SUCCEEDED -');
  });

  it('is undone also when the one that took over is taken over', () => {
    for (const effect of ['unquiesce', 'discardBackup'] as const) {
      const first = spec.secureBackup === null ? 'fetchExport' : 'fetchSecureBackup';
      const drive = driveTask(spec, {
        interference: [
          { when: 'during', effect: first, fact: 'takenOver' },
          { when: 'during', effect, fact: 'takenOver' },
        ],
      });
      expect(endOf(drive)).toBe('FAILED INTERRUPTED');
      expectUndone(drive);
    }
  });
});

describe.each(kinds)('%s that an operator cancels', (_, spec) => {
  it.each(stepsBefore(spec).flatMap((step) => whens.map((when) => [when, ...step] as const)))(
    'stops at the next safe point and is undone: %s %s (%i)',
    (when, effect, index) => {
      const drive = driveWith(spec, [effect, index], when, operatorsCancel);
      expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
      expectUndone(drive);
      const places = drive.performed.flatMap(({ type }, place) => (type === effect ? [place] : []));
      const at = places[index] ?? drive.performed.length;
      const later = drive.performed.slice(at + 1).map(({ type }) => type);
      for (const forward of ['runPreScript', 'quiesce', 'createSecureBackup', 'publishBackup'] as const) {
        expect(later).not.toContain(forward);
      }
    },
  );

  it('never starts when that comes before it has', () => {
    for (const when of whens) {
      const drive = driveWith(spec, ['admit', 0], when, operatorsCancel);
      expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
      expect(drive.effects.filter((effect) => effect !== 'admit')).toEqual([]);
    }
  });

  it.each([['publishBackup', 0] as Step, ...stepsAfter])(
    'succeeds once it is being published: %s (%i)',
    (...step) => {
      for (const when of ['during', 'after'] as const) {
        const drive = driveWith(spec, step, when, operatorsCancel);
        expect(endOf(drive)).toBe('SUCCEEDED -');
        expect([drive.leftQuiesced, drive.isGuardLeft]).toEqual([[], false]);
      }
    },
  );

  it('goes on when the cancel spares what has started, and is cancelled before that', () => {
    const sparing: TaskCommand = { ...operatorsCancel, sparesStarted: true };
    expect(endOf(driveWith(spec, ['checkStore', 0], 'before', sparing))).toBe('SUCCEEDED -');
    expect(endOf(driveWith(spec, ['admit', 0], 'after', sparing))).toMatch(/^CANCELLED/);
  });

  it('keeps the first reason when it is told another', () => {
    const other: TaskCommand = { ...operatorsCancel, status: 'FAILED', reason: { code: 'X', detail: '' } };
    const drive = driveTask(spec, {
      interference: [
        { when: 'before', effect: 'quiesce', fact: operatorsCancel },
        { when: 'before', effect: 'runPostScript', fact: other },
      ],
    });
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
  });
});

describe.each([
  ['a minute ahead', 61_000],
  ['an hour ahead', 3_600_000],
  ['a day behind', -86_400_000],
])('a task that goes by a clock that is %s of the one before', (_, aheadMs) => {
  const spec = exportTask({ isQuiesceAsked: true });
  const seconds = ({ endedAt }: TaskDrive): number => (endedAt - TASK_START - aheadMs) / 1000;

  it.each(['quiesce', 'unquiesce'] as const)(
    'waits until the %s that was lost can no longer land',
    (effect) => {
      const drive = driveTask(spec, {
        replies: { [effect]: [faultReply('REPLY_LOST', 'unknown')] },
        isLostLanding: effect === 'unquiesce',
        interference: [{ when: 'after', effect, fact: 'takenOver', aheadMs }],
      });
      expect(drive.effects.at(-1)).toBe('look');
      expect(seconds(drive)).toBe(60);
      expect([drive.leftQuiesced, drive.isGuardLeft]).toEqual([[], false]);
    },
  );

  it('gives its device the whole time to be set moving', () => {
    const drive = driveTask(spec, {
      unquiescesTo: 'unquiescing',
      interference: [{ when: 'after', effect: 'unquiesce', fact: 'takenOver', aheadMs }],
    });
    expect(drive.verdict.warnings).toEqual([]);
    expect(endOf(drive)).toBe('FAILED UNQUIESCE_TIMEOUT');
    expect(seconds(drive)).toBe(300);
  });

  it('takes no time from who tells it to stop', () => {
    const drive = driveTask(spec, {
      replies: { unquiesce: [faultReply('DEVICE_REFUSED')] },
      interference: [{ when: 'after', effect: 'quiesce', fact: operatorsCancel, aheadMs }],
    });
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
    expect(warningsOf(drive)).toEqual(['UNQUIESCE_TIMEOUT']);
    expect((drive.endedAt - TASK_START) / 1000).toBe(300);
  });
});

describe('a task whose device somebody else has set moving for it', () => {
  const spec = exportTask({ isQuiesceAsked: true });
  const released: TaskCommand = { type: 'released' };

  it('never unquiesces what is quiesced then, for that is not its own', () => {
    const drive = driveTask(spec, {
      interference: [
        { when: 'before', effect: 'unquiesce', fact: 'takenOver' },
        { when: 'before', effect: 'unquiesce', fact: released },
      ],
    });
    expect(drive.effects).not.toContain('unquiesce A');
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(drive.isGuardLeft).toBe(false);
  });

  it('learns nothing else from a look that was on its way meanwhile', () => {
    const drive = driveTask(spec, {
      interference: [
        { when: 'after', effect: 'fetchExport', fact: 'takenOver' },
        { when: 'during', effect: 'look', index: 2, fact: released },
      ],
    });
    expect(drive.effects).not.toContain('unquiesce A');
    expect(drive.isGuardLeft).toBe(false);
  });

  it('fails when it was not published by then, and discards what it fetched while the device was moving', () => {
    const drive = driveTask(spec, {
      interference: [{ when: 'during', effect: 'fetchExport', fact: released }],
    });
    expect(endOf(drive)).toBe('FAILED INTERRUPTED');
    expect(drive.effects.slice(-2)).toEqual(['fetchExport persisted', 'discardBackup']);
  });

  it('is as before when it had quiesced nothing', () => {
    const drive = driveTask(exportTask(), {
      interference: [{ when: 'during', effect: 'fetchExport', fact: released }],
    });
    expect(endOf(drive)).toBe('SUCCEEDED -');
  });
});
