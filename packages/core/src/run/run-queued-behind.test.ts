import { describe, expect, it } from 'vitest';
import { countReply, faultReply, parametersReply, RUN_START, runOf } from './testing/build-run.ts';
import { driveRun, endOf } from './testing/drive-run.ts';

const HOUR_MS = 3_600_000;
const queued = runOf({ overlap: 'queue' });
const going = { ok: true, value: { areOver: false } } as const;
const over = { ok: true, value: { areOver: true } } as const;
const rest = ['checkStore', 'expandPlan', 'queueTasks', 'countTasks'];

describe('a fire that was queued behind a run of its plan', () => {
  it('looks once a second until that run is over, and reads its parameters anew then', () => {
    const drive = driveRun(queued, { replies: { lookForEarlierRuns: [going, going, over] } });
    const looks = ['lookForEarlierRuns', 'lookForEarlierRuns', 'lookForEarlierRuns'];
    expect(drive.effects).toEqual(['readParameters', ...looks, 'readParameters', ...rest]);
    expect(drive.endedAt).toBe(RUN_START + 2_000);
    expect(endOf(drive)).toBe('SUCCEEDED -');
  });

  it('begins at once when nothing of its plan is going', () => {
    expect(driveRun(queued).effects).toEqual(['readParameters', 'lookForEarlierRuns', ...rest]);
  });

  it('looks again when a look failed', () => {
    const drive = driveRun(queued, { replies: { lookForEarlierRuns: [faultReply('DATABASE_LOST'), over] } });
    expect(endOf(drive)).toBe('SUCCEEDED -');
  });

  it('is given up when it has waited longer than queue.maxHours', () => {
    const readParameters = [parametersReply({ 'queue.maxHours': 1 })];
    const drive = driveRun(queued, {
      replies: { readParameters, lookForEarlierRuns: [going] },
      durationsMs: { lookForEarlierRuns: HOUR_MS / 4 },
    });
    expect(endOf(drive)).toBe('SKIPPED PREPROCESS_EXECUTION_SKIPPED_BECAUSE_A_DAY_PASSED');
    expect(drive.effects).not.toContain('checkStore');
  });

  it('obeys the window when its turn has come, not when it fired', () => {
    const drive = driveRun(runOf({ overlap: 'queue', window: ['11:00-13:00'] }), {
      replies: { lookForEarlierRuns: [going, over] },
      durationsMs: { lookForEarlierRuns: 2 * HOUR_MS },
    });
    expect(endOf(drive)).toBe('SKIPPED PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW');
  });

  it('obeys parameters that were changed while it waited', () => {
    const readParameters = [parametersReply({}), parametersReply({ 'backups.enabled': false })];
    const drive = driveRun(queued, { replies: { readParameters, lookForEarlierRuns: [going, over] } });
    expect(endOf(drive)).toBe('SKIPPED BACKUPS_ARE_DISABLED');
  });

  it('is cancelled by an operator while it waits', () => {
    const drive = driveRun(queued, {
      replies: { lookForEarlierRuns: [going], countTasks: [countReply({})] },
      interference: [{ when: 'after', effect: 'lookForEarlierRuns', fact: 'told' }],
    });
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
    expect(drive.effects).toEqual(['readParameters', 'lookForEarlierRuns']);
  });

  it('goes on waiting on another node, whatever the clock says there', () => {
    const drive = driveRun(queued, {
      replies: { lookForEarlierRuns: [going, over] },
      interference: [{ when: 'after', effect: 'lookForEarlierRuns', fact: 'takenOver' }],
    });
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(drive.endedAt).toBe(RUN_START);
  });

  it('obeys parameters that were changed while it waited also when another node finds that its turn has come', () => {
    const readParameters = [parametersReply({}), parametersReply({ 'backups.enabled': false })];
    const drive = driveRun(queued, {
      replies: { readParameters, lookForEarlierRuns: [going, over] },
      interference: [{ when: 'after', effect: 'lookForEarlierRuns', fact: 'takenOver' }],
    });
    expect(endOf(drive)).toBe('SKIPPED BACKUPS_ARE_DISABLED');
  });

  it('does not wait when somebody asked for it, nor when its plan leaves overlapping fires out', () => {
    const look = { lookForEarlierRuns: [going] };
    const asked = driveRun(runOf({ overlap: 'queue' }, { trigger: 'request' }), { replies: look });
    expect(asked.effects).not.toContain('lookForEarlierRuns');
    const skipping = driveRun(runOf({ overlap: 'skip' }), { replies: look });
    expect(skipping.effects).not.toContain('lookForEarlierRuns');
  });
});

describe('a window that is overridden', () => {
  const windowOverrideReason = 'A fix pack comes tonight.';

  it('is not asked, nor are the blackout dates', () => {
    const plan = { window: ['22:00-23:00'], blackoutDates: ['2026-01-01'] };
    expect(endOf(driveRun(runOf(plan, { windowOverrideReason })))).toBe('SUCCEEDED -');
    expect(endOf(driveRun(runOf({ ...plan, window: 'none' })))).toBe(
      'SKIPPED PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW',
    );
  });

  it('still has to be one that can be read', () => {
    expect(endOf(driveRun(runOf({ window: ['22-23'] }, { windowOverrideReason })))).toBe(
      'FAILED PRE_VALIDATION_INVALID_TIMEFRAME_FORMAT',
    );
  });
});
