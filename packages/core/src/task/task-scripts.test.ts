import { describe, expect, it } from 'vitest';
import { evolveTask } from './evolve-task.ts';
import type { TaskCommand } from './task-fact.ts';
import type { TaskSpec } from './task-spec.ts';
import { queuedTask } from './task-state.ts';
import { exportTask, faultReply, secureBackupTask } from './testing/build-task.ts';
import { driveTask, endOf, operatorsCancel, warningsOf } from './testing/drive-task.ts';

const check = ['admit', 'checkStore', 'look'];
const scripts: Partial<TaskSpec> = {
  preTaskScript: 'before.sh',
  postTaskScript: { script: 'after.sh', when: 'always' },
};

describe('the scripts of a task', () => {
  const failing = [{ ok: true as const, value: { exitCode: 2 } }];
  const post = (when: 'always' | 'onFailure'): Partial<TaskSpec> => ({
    postTaskScript: { script: 'after.sh', when },
  });

  it.each(['always', 'onFailure'] as const)(
    'row 6: a failed pre-task script ends the task untouched; the post-task script (%s) runs',
    (when) => {
      for (const runPreScript of [failing, [faultReply('SCRIPT_TIMED_OUT')]]) {
        const spec = exportTask({ preTaskScript: 'before.sh', isQuiesceAsked: true, ...post(when) });
        const drive = driveTask(spec, { replies: { runPreScript } });
        expect(endOf(drive)).toBe('FAILED TASK_FAILED_PRE_SCRIPT');
        expect(drive.effects).toEqual([...check, 'runPreScript', 'runPostScript']);
      }
    },
  );

  it('row 12: a post-task script that fails is a warning', () => {
    for (const runPostScript of [failing, [faultReply('SCRIPT_TIMED_OUT')]]) {
      const drive = driveTask(exportTask(post('always')), { replies: { runPostScript } });
      expect(endOf(drive)).toBe('SUCCEEDED -');
      expect(warningsOf(drive)).toEqual(['POST_SCRIPT_FAILED']);
    }
  });

  it('row 12: a post-task script for failures runs after failures only', () => {
    expect(driveTask(exportTask(post('onFailure'))).effects).not.toContain('runPostScript');
    const drive = driveTask(exportTask(post('onFailure')), {
      replies: { fetchExport: [faultReply('RESET')] },
    });
    expect(drive.performed.at(-1)).toEqual({
      type: 'runPostScript',
      statusCode: 'RESET',
      message: 'It was RESET.',
    });
  });

  it('row 12: the post-task script is the last thing of all', () => {
    const drive = driveTask(secureBackupTask({ ...scripts, isQuiesceAsked: true }), {
      replies: { fetchSecureBackup: [faultReply('BACKUP_HASH_MISMATCH')] },
    });
    expect(drive.effects.slice(-5)).toEqual([
      'unquiesce device',
      'look',
      'removeSecureBackup',
      'discardBackup',
      'runPostScript',
    ]);
  });
});

describe('a script that goes on when the task is cancelled', () => {
  const cutOff = [faultReply('SCRIPT_ABORTED', 'unknown')];
  const spec = exportTask({ ...scripts, isQuiesceAsked: true });
  const told = (effect: 'runPreScript' | 'runPostScript', fact: TaskCommand = operatorsCancel) => ({
    interference: [{ when: 'during' as const, effect, fact }],
  });
  const givenUp = (command: TaskCommand, pending: 'preScript' | 'postScript' | null): boolean => {
    const state = {
      ...queuedTask(spec),
      isStarted: true,
      ...(pending === null ? {} : { [pending]: 'pending' }),
    };
    return evolveTask(state, { type: 'told', at: 0, command }).isScriptGivenUp;
  };

  it('is given up by a cancel of the operator or a stop of the server, not by what spares started tasks', () => {
    const { reason } = operatorsCancel;
    expect(givenUp(operatorsCancel, 'preScript')).toBe(true);
    expect(givenUp(operatorsCancel, 'postScript')).toBe(true);
    expect(givenUp({ ...operatorsCancel, status: 'FAILED' }, 'postScript')).toBe(true);
    expect(givenUp({ type: 'cancel', status: 'CANCELLED', sparesStarted: true, reason }, 'preScript')).toBe(
      false,
    );
    expect(givenUp({ type: 'released' }, 'preScript')).toBe(false);
    expect(givenUp(operatorsCancel, null)).toBe(false);
  });

  it('before the quiesce leaves the device untouched, for the reason of the cancel; the post-task script runs', () => {
    const drive = driveTask(spec, { replies: { runPreScript: cutOff }, ...told('runPreScript') });
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
    expect(drive.effects).toEqual([...check, 'runPreScript', 'runPostScript']);
    expect(drive.state.isScriptGivenUp).toBe(false);
  });

  it('after the backup leaves the backup and its success alone', () => {
    const drive = driveTask(spec, { replies: { runPostScript: cutOff }, ...told('runPostScript') });
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(warningsOf(drive)).toEqual(['POST_SCRIPT_FAILED']);
    expect(drive.leftQuiesced).toEqual([]);
  });
});
