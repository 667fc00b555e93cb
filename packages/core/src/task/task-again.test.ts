import { describe, expect, it } from 'vitest';
import { queuedTask } from './task-state.ts';
import { exportTask, faultReply, oneFile, secureBackupTask, TASK_START } from './testing/build-task.ts';
import { driveTask, endOf, operatorsCancel, rowOf, warningsOf } from './testing/drive-task.ts';

const MINUTE_MS = 60_000;
const check = ['admit', 'checkStore', 'look'];
const twice = { attempts: 2, delaySeconds: 600 };
const good = { ok: true, value: oneFile } as const;
const admitted = { ok: true, value: { stop: null } } as const;
/** Open from noon, when the tasks begin, to one o'clock. */
const noon = { timeframes: [{ fromMinute: 720, toMinute: 780 }], blackoutDays: [], timezone: 'UTC' };
const refused = faultReply('DEVICE_ERROR');

describe('a task that is tried again', () => {
  it('undoes its quiesce, clears away what arrived and begins anew after the delay', () => {
    const drive = driveTask(exportTask({ isQuiesceAsked: true, retry: twice }), {
      replies: { fetchExport: [refused, good] },
    });
    const attempt = [...check, 'quiesce A', 'look', 'fetchExport persisted'];
    expect(drive.effects).toEqual([
      ...attempt,
      'unquiesce A',
      'look',
      'discardBackup',
      'admit',
      ...attempt,
      'publishBackup',
      'unquiesce A',
      'look',
    ]);
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(drive.secondsOf('fetchExport')).toEqual([0, 600]);
    expect(drive.state.attempt).toBe(2);
    expect(warningsOf(drive)).toEqual([]);
  });

  it('fails with its last reason once its attempts are used up', () => {
    const replies = [faultReply('FIRST'), faultReply('SECOND'), faultReply('THIRD')];
    const drive = driveTask(exportTask({ retry: twice }), { replies: { checkStore: replies } });
    expect(endOf(drive)).toBe('FAILED THIRD');
    expect(drive.verdict.reason?.detail).toBe('It was THIRD.');
    expect(drive.secondsOf('checkStore')).toEqual([0, 600, 1200]);
  });

  it('runs its scripts in each attempt', () => {
    const scripts = {
      preTaskScript: 'before.sh',
      postTaskScript: { script: 'after.sh', when: 'onFailure' },
    } as const;
    const drive = driveTask(exportTask({ ...scripts, retry: twice }), {
      replies: { fetchExport: [refused, good] },
    });
    expect(drive.effects.filter((effect) => effect.startsWith('run'))).toEqual([
      'runPreScript',
      'runPostScript',
      'runPreScript',
    ]);
  });

  it('is not, for what another attempt cannot cure', () => {
    const held = [rowOf('A', { quiesceState: 'quiesced' })];
    const already = driveTask(exportTask({ isQuiesceAsked: true, retry: twice }), { rows: held });
    expect(endOf(already)).toBe('FAILED DOMAIN_ALREADY_QUIESCED');
    const { fault } = refused;
    const final = { ok: false, fault: { ...fault, retryable: false } } as const;
    const denied = driveTask(exportTask({ retry: twice }), { replies: { fetchExport: [final] } });
    expect([endOf(denied), denied.state.attempt]).toEqual(['FAILED DEVICE_ERROR', 1]);
  });

  it('is not, while its own quiesce is left to be undone', () => {
    const drive = driveTask(exportTask({ isQuiesceAsked: true, retry: twice }), {
      replies: { fetchExport: [refused] },
      unquiescesTo: 'quiesced',
    });
    expect(drive.state).toMatchObject({ attempt: 1, undo: { gaveUp: true } });
    expect(endOf(drive)).toBe('FAILED DEVICE_ERROR');
    expect(drive.isGuardLeft).toBe(true);
  });

  it('is, when the server died in the middle', () => {
    const drive = driveTask(exportTask({ isQuiesceAsked: true, retry: twice }), {
      interference: [{ when: 'during', effect: 'fetchExport', fact: 'takenOver' }],
    });
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect([drive.state.attempt, drive.leftQuiesced]).toEqual([2, []]);
  });

  it('is, when the server was stopped in the middle', () => {
    const reason = { code: 'INTERRUPTED', detail: 'The server was stopped.' };
    const fact = { type: 'cancel', status: 'FAILED', sparesStarted: false, reason } as const;
    const drive = driveTask(exportTask({ retry: twice }), {
      interference: [{ when: 'during', effect: 'fetchExport', fact }],
    });
    expect([endOf(drive), drive.state.attempt]).toEqual(['SUCCEEDED -', 2]);
  });

  it('that an earlier version queued is tried once', () => {
    const { retry: _, ...kept } = exportTask();
    expect(queuedTask(kept).spec.retry.attempts).toBe(0);
  });
});

describe('the window and the queue of a task that is tried again', () => {
  it('end it with its last reason and a sentence when the window is closed by the next attempt', () => {
    const drive = driveTask(exportTask({ retry: { attempts: 5, delaySeconds: 1500 }, window: noon }), {
      replies: { fetchExport: [refused] },
    });
    expect(drive.secondsOf('fetchExport')).toEqual([0, 1500, 3000]);
    expect(endOf(drive)).toBe('FAILED DEVICE_ERROR');
    const detail = 'It was DEVICE_ERROR. It was not tried again: The window is closed by then.';
    expect(drive.verdict.reason?.detail).toBe(detail);
  });

  it('also when the window is closed now and open again by then', () => {
    const retry = { attempts: 1, delaySeconds: 86_400 - 30 * 60 };
    const startAt = TASK_START + 55 * MINUTE_MS;
    const drive = driveTask(exportTask({ retry, window: noon, queuedAt: startAt }), {
      startAt,
      replies: { fetchExport: [refused] },
      interference: [{ when: 'during', effect: 'fetchExport', fact: 'takenOver', aheadMs: 10 * MINUTE_MS }],
    });
    expect(endOf(drive)).toBe('FAILED INTERRUPTED');
    expect(drive.verdict.reason?.detail).toContain('The window is closed');
  });

  it('end it with its last reason when it would have waited longer than the queue allows', () => {
    const drive = driveTask(exportTask({ retry: { attempts: 5, delaySeconds: 9 * 3600 } }), {
      replies: { fetchExport: [refused] },
    });
    expect(drive.secondsOf('fetchExport')).toEqual([0, 9 * 3600, 18 * 3600]);
    expect(drive.verdict.reason?.detail).toContain('waited too long');
  });
});

describe('a task between two attempts', () => {
  const failing = { replies: { fetchExport: [refused] } };

  it("ends at once on an operator's cancel", () => {
    const drive = driveTask(exportTask({ retry: twice }), { ...failing, toldAtRest: operatorsCancel });
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BY_OPERATOR');
    expect(drive.endedAt).toBe(TASK_START);
  });

  it('ends at once as it failed when its run wants no more of what waits', () => {
    const reason = { code: 'EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW', detail: 'The window closed.' };
    const toldAtRest = { type: 'cancel', status: 'CANCELLED', sparesStarted: true, reason } as const;
    const drive = driveTask(exportTask({ retry: twice }), { ...failing, toldAtRest });
    expect(endOf(drive)).toBe('FAILED DEVICE_ERROR');
    const detail = 'It was DEVICE_ERROR. It was not tried again: The window closed.';
    expect(drive.verdict.reason?.detail).toBe(detail);
  });

  it('keeps what is left of its attempts when the server is stopped that put it off', () => {
    const reason = { code: 'INTERRUPTED', detail: 'The server was stopped.' };
    const toldAtRest = { type: 'cancel', status: 'FAILED', sparesStarted: false, reason } as const;
    for (const attempts of [1, 2]) {
      const retry = { attempts, delaySeconds: 600 };
      const replies = { fetchExport: [refused, good] };
      const drive = driveTask(exportTask({ retry }), { replies, toldAtRest });
      expect([endOf(drive), drive.state.attempt]).toEqual(['SUCCEEDED -', 2]);
      expect(drive.secondsOf('fetchExport')).toEqual([0, 600]);
    }
  });

  it('is not begun when its run was halted meanwhile, or before it came to wait', () => {
    const detail = 'Another task failed.';
    const stop = { ok: true, value: { stop: { code: 'EXECUTION_CANCELED_BECAUSE_ERROR_POLICY', detail } } };
    for (const admit of [
      [admitted, stop],
      [admitted, admitted, stop],
    ] as const) {
      const drive = driveTask(exportTask({ retry: twice }), {
        replies: { ...failing.replies, admit: admit as never },
      });
      expect(endOf(drive)).toBe('FAILED DEVICE_ERROR');
      expect(drive.verdict.reason?.detail).toContain(`It was not tried again: ${detail}`);
      expect(drive.secondsOf('fetchExport')).toEqual([0]);
    }
  });

  it('is not tried again when it is cancelled while it undoes a failed attempt', () => {
    const drive = driveTask(exportTask({ isQuiesceAsked: true, retry: twice }), {
      ...failing,
      interference: [{ when: 'during', effect: 'unquiesce', fact: operatorsCancel }],
    });
    expect(endOf(drive)).toBe('FAILED DEVICE_ERROR');
    expect(drive.verdict.reason?.detail).toContain('It was not tried again: An operator cancelled it.');
    expect(drive.leftQuiesced).toEqual([]);
  });
});

describe('what an attempt could not clear away', () => {
  it('is cleared away by the next one before that makes anything of its own', () => {
    const drive = driveTask(exportTask({ retry: twice }), {
      replies: {
        fetchExport: [refused, good],
        discardBackup: [faultReply('STORE_NOT_RESPONDING'), { ok: true, value: null }],
      },
    });
    expect(drive.effects.slice(-5)).toEqual([
      'checkStore',
      'look',
      'discardBackup',
      'fetchExport persisted',
      'publishBackup',
    ]);
    expect([endOf(drive), warningsOf(drive)]).toEqual(['SUCCEEDED -', []]);
  });

  it('on the device goes as well, and fails the attempt that cannot', () => {
    const drive = driveTask(secureBackupTask({ retry: { attempts: 1, delaySeconds: 0 } }), {
      replies: { fetchSecureBackup: [refused, good], removeSecureBackup: [faultReply('LEFT')] },
    });
    expect(endOf(drive)).toBe('FAILED LEFT');
    expect(warningsOf(drive)).toEqual(['LEFT']);
    expect(drive.effects.filter((effect) => effect === 'createSecureBackup')).toHaveLength(1);
  });

  it('is a warning of the task that does not come to it any more', () => {
    const drive = driveTask(exportTask({ retry: twice }), {
      replies: { fetchExport: [refused], discardBackup: [faultReply('STORE_NOT_RESPONDING')] },
      toldAtRest: operatorsCancel,
    });
    expect(warningsOf(drive)).toEqual(['STORE_NOT_RESPONDING']);
  });
});
