import { describe, expect, it } from 'vitest';
import type { TaskSpec } from './task-spec.ts';
import { allDomainsTask, exportTask, faultReply, TASK_START } from './testing/build-task.ts';
import { driveTask, endOf, rowOf, type TaskDrive, type TaskWorld, warningsOf } from './testing/drive-task.ts';

const quiesced = (more: Partial<TaskSpec> = {}): TaskSpec => exportTask({ isQuiesceAsked: true, ...more });
const secondsTaken = ({ endedAt }: TaskDrive): number => (endedAt - TASK_START) / 1000;

describe('rows 7 and 8, the quiesce', () => {
  it('that is refused leaves nothing to undo', () => {
    const drive = driveTask(quiesced(), { replies: { quiesce: [faultReply('DEVICE_REFUSED')] } });
    expect(endOf(drive)).toBe('FAILED DEVICE_REFUSED');
    expect(drive.effects).toEqual(['admit', 'checkStore', 'look', 'quiesce A']);
    expect(drive.isGuardLeft).toBe(false);
  });

  it('whose reply was lost is looked for and undone', () => {
    const drive = driveTask(quiesced(), { replies: { quiesce: [faultReply('REPLY_LOST', 'unknown')] } });
    expect(endOf(drive)).toBe('FAILED REPLY_LOST');
    expect(drive.effects.slice(3)).toEqual(['quiesce A', 'look', 'unquiesce A', 'look']);
    expect([drive.isGuardLeft, drive.leftQuiesced]).toEqual([false, []]);
  });

  it('whose reply was lost and that has not landed is watched until it no longer can', () => {
    const drive = driveTask(quiesced(), {
      replies: { quiesce: [faultReply('REPLY_LOST', 'unknown')] },
      isLostLanding: false,
    });
    expect(drive.effects.slice(3)).toEqual(['quiesce A', 'look']);
    expect(secondsTaken(drive)).toBe(60);
    expect(drive.isGuardLeft).toBe(false);
  });

  it('is polled for at most time-out and grace, then undone, and the task is cancelled', () => {
    const drive = driveTask(quiesced(), { quiescesTo: 'quiescing' });
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_QUIESCE_TIMEOUT');
    expect(drive.effects.slice(3)).toEqual(['quiesce A', 'look', 'unquiesce A', 'look']);
    const looks = drive.secondsOf('look');
    expect(looks.slice(0, 4)).toEqual([0, 0, 5, 10]);
    expect(drive.secondsOf('unquiesce')).toEqual([300]);
    expect(drive.isGuardLeft).toBe(false);
  });

  it('of a device counts only once every domain but default is quiesced', () => {
    const rows = [rowOf('default'), rowOf('A'), rowOf('B')];
    const drive = driveTask(allDomainsTask({ isQuiesceAsked: true }), { rows });
    expect(drive.effects.slice(3, 6)).toEqual(['quiesce device', 'look', 'fetchExport persisted']);
    expect(endOf(drive)).toBe('SUCCEEDED -');
  });

  it('goes on through looks that are not answered', () => {
    const drive = driveTask(quiesced(), { blindLooks: [1, 2, 4] });
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(drive.secondsOf('fetchExport')).toEqual([10]);
  });

  it('that ends in an error state is undone and fails the task', () => {
    const drive = driveTask(quiesced(), { quiescesTo: 'error' });
    expect(endOf(drive)).toBe('FAILED QUIESCE_FAILED');
    expect(drive.effects.slice(3)).toEqual(['quiesce A', 'look', 'unquiesce A', 'look']);
  });
});

describe('rows 10 and 11, the unquiesce', () => {
  const refused = faultReply('DEVICE_REFUSED');
  const accepted = { ok: true as const, value: null };

  it('that is refused is tried again, each time after a longer pause', () => {
    const unquiesce = [...Array.from({ length: 7 }, () => refused), accepted];
    const drive = driveTask(quiesced(), { replies: { unquiesce } });
    expect(drive.secondsOf('unquiesce')).toEqual([0, 1, 3, 7, 15, 31, 61, 91]);
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect([drive.isGuardLeft, drive.leftQuiesced]).toEqual([false, []]);
  });

  it('that is never accepted fails the task in the end, and stays guarded', () => {
    const drive = driveTask(quiesced({ postTaskScript: { script: 'after.sh', when: 'onFailure' } }), {
      replies: { unquiesce: [refused] },
    });
    expect(endOf(drive)).toBe('FAILED UNQUIESCE_TIMEOUT');
    expect(secondsTaken(drive)).toBe(300);
    expect(drive.isGuardLeft).toBe(true);
    expect(drive.effects).not.toContain('discardBackup');
    expect(drive.performed.at(-1)).toMatchObject({ type: 'runPostScript', statusCode: 'UNQUIESCE_TIMEOUT' });
  });

  it('that is accepted and takes too long fails the task, and stays guarded', () => {
    const drive = driveTask(quiesced(), { unquiescesTo: 'unquiescing' });
    expect(endOf(drive)).toBe('FAILED UNQUIESCE_TIMEOUT');
    expect(secondsTaken(drive)).toBe(300);
    expect([drive.isGuardLeft, drive.leftQuiesced]).toEqual([true, ['A']]);
  });

  it('that is accepted and shows no effect is sent again after half a minute', () => {
    const drive = driveTask(quiesced(), { unquiescesTo: 'quiesced' });
    expect(drive.secondsOf('unquiesce').slice(0, 4)).toEqual([0, 30, 60, 90]);
    expect(endOf(drive)).toBe('FAILED UNQUIESCE_TIMEOUT');
  });

  it('that takes too long is a warning on a task that has failed before', () => {
    const drive = driveTask(quiesced(), {
      unquiescesTo: 'unquiescing',
      replies: { fetchExport: [faultReply('RESET')] },
    });
    expect(endOf(drive)).toBe('FAILED RESET');
    expect(warningsOf(drive)).toEqual(['UNQUIESCE_TIMEOUT']);
    expect(drive.effects.at(-1)).toBe('discardBackup');
  });

  it('whose reply was lost is looked for before another is sent', () => {
    const replies = { unquiesce: [faultReply('REPLY_LOST', 'unknown')] };
    const landed = driveTask(quiesced(), { replies });
    expect(landed.secondsOf('unquiesce')).toEqual([0]);
    expect(endOf(landed)).toBe('SUCCEEDED -');
    expect([landed.isGuardLeft, secondsTaken(landed)]).toEqual([false, 60]);
    const lost = driveTask(quiesced(), {
      replies: { unquiesce: [faultReply('REPLY_LOST', 'unknown'), accepted] },
      isLostLanding: false,
    });
    expect(lost.secondsOf('unquiesce')).toHaveLength(2);
    expect([lost.isGuardLeft, lost.leftQuiesced]).toEqual([false, []]);
  });

  it('is waited for through looks that are not answered', () => {
    const drive = driveTask(quiesced(), { blindLooks: [2, 3, 4] });
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(secondsTaken(drive)).toBe(15);
  });

  it.each<[string, TaskSpec, TaskWorld]>([
    ['when no quiesce was asked', exportTask(), {}],
    [
      'when somebody else had quiesced before',
      quiesced(),
      { rows: [rowOf('A', { quiesceState: 'quiesced' })] },
    ],
    [
      'when the pre-task script failed',
      quiesced({ preTaskScript: 'before.sh' }),
      { replies: { runPreScript: [{ ok: true, value: { exitCode: 1 } }] } },
    ],
  ])('is not sent %s', (_, spec, world) => {
    expect(driveTask(spec, world).effects.join()).not.toContain('quiesce A');
  });
});
