import { describe, expect, it } from 'vitest';
import { evolveTask } from './evolve-task.ts';
import { nextTaskStep } from './next-task-step.ts';
import type { DomainRow } from './task-effect.ts';
import { DEFAULT_DOMAIN, type TaskSpec } from './task-spec.ts';
import { queuedTask } from './task-state.ts';
import {
  allDomainsTask,
  exportTask,
  faultReply,
  secureBackupTask,
  TASK_START,
} from './testing/build-task.ts';
import { driveTask, endOf, rowOf, type TaskDrive, type TaskWorld, warningsOf } from './testing/drive-task.ts';

const HOUR_MS = 3_600_000;
const check = ['admit', 'checkStore', 'look'];
const scripts: Partial<TaskSpec> = {
  preTaskScript: 'before.sh',
  postTaskScript: { script: 'after.sh', when: 'always' },
};
const noon = { timeframes: [{ fromMinute: 720, toMinute: 780 }], blackoutDays: [], timezone: 'UTC' };

describe('a task for which all goes well', () => {
  it('checks, exports the saved configuration and publishes it', () => {
    const drive = driveTask(exportTask());
    expect(drive.effects).toEqual([...check, 'fetchExport persisted', 'publishBackup']);
    expect(drive.verdict).toEqual({ status: 'SUCCEEDED', reason: null, warnings: [] });
  });

  it('quiesces before the export and unquiesces after it', () => {
    const drive = driveTask(exportTask({ isQuiesceAsked: true }));
    expect(drive.effects).toEqual([
      ...check,
      'quiesce A',
      'look',
      'fetchExport persisted',
      'publishBackup',
      'unquiesce A',
      'look',
    ]);
    expect(drive.performed[3]).toMatchObject({ timeoutSeconds: 120 });
    expect([drive.isGuardLeft, drive.leftQuiesced]).toEqual([false, []]);
  });

  it('inspects the device before a secure backup, and removes what that left there', () => {
    expect(driveTask(secureBackupTask({ isQuiesceAsked: true })).effects).toEqual([
      ...check,
      'inspectSecureBackup',
      'quiesce device',
      'look',
      'createSecureBackup',
      'fetchSecureBackup',
      'publishBackup',
      'unquiesce device',
      'look',
      'removeSecureBackup',
    ]);
  });

  it('quiesces the device for an export of all domains', () => {
    const drive = driveTask(allDomainsTask({ isQuiesceAsked: true }));
    expect(drive.effects).toContain('quiesce device');
    expect(drive.effects).toContain('unquiesce device');
  });

  it('runs its scripts around all that it does', () => {
    const drive = driveTask(exportTask({ ...scripts, isQuiesceAsked: true }));
    expect(drive.effects.slice(3, 5)).toEqual(['runPreScript', 'quiesce A']);
    expect(drive.performed.at(-1)).toEqual({ type: 'runPostScript', statusCode: 'SUCCEEDED', message: null });
  });

  it('is not asked for a step while an effect is pending', () => {
    const started = evolveTask(queuedTask(exportTask()), {
      type: 'noted',
      at: TASK_START,
      note: { type: 'started' },
    });
    const pending = evolveTask(started, {
      type: 'intended',
      at: TASK_START,
      effect: { type: 'publishBackup' },
    });
    expect(() => nextTaskStep(pending, TASK_START)).toThrow('publishBackup is pending');
  });

  it('keeps its verdict once it has ended', () => {
    const { state, verdict, endedAt } = driveTask(exportTask());
    const ended = evolveTask(state, { type: 'ended', at: endedAt, verdict });
    expect(nextTaskStep(ended, endedAt + HOUR_MS)).toEqual({ kind: 'finish', verdict });
  });
});

describe('row 1, the window and the queue', () => {
  const cancelled = (more: Partial<TaskSpec>, world: TaskWorld = {}): TaskDrive =>
    driveTask(exportTask({ ...scripts, ...more }), world);

  it('cancels a task whose window is closed before it asks for anything', () => {
    const drive = cancelled({ window: noon }, { startAt: TASK_START + HOUR_MS });
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW');
    expect(drive.effects).toEqual([]);
  });

  it('cancels a task on a blackout date', () => {
    const window = { ...noon, timeframes: null, blackoutDays: [{ first: '2026-01-01', last: '2026-01-01' }] };
    expect(endOf(cancelled({ window }))).toBe('CANCELLED EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW');
  });

  it('goes by what the clock says, whatever it said when the task was taken hold of', () => {
    const queued = queuedTask(exportTask({ window: noon }));
    expect(nextTaskStep(queued, TASK_START - HOUR_MS, TASK_START)).toMatchObject({ kind: 'do' });
    expect(nextTaskStep(queued, TASK_START, TASK_START - HOUR_MS)).toMatchObject({ kind: 'finish' });
  });

  it('lets a task go on that started inside the window', () => {
    const fetchExport = [faultReply('RESET')];
    const drive = driveTask(exportTask({ window: noon, isQuiesceAsked: true }), {
      startAt: TASK_START + HOUR_MS - 1,
      quiescesTo: 'quiescing',
      replies: { fetchExport },
    });
    expect(drive.effects).toContain('unquiesce A');
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_QUIESCE_TIMEOUT');
  });

  it('cancels a task that waited longer than the queue allows', () => {
    const drive = cancelled({ queuedAt: TASK_START - 24 * HOUR_MS - 1 });
    expect(endOf(drive)).toBe('CANCELLED EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED');
    expect(drive.effects).toEqual([]);
    expect(endOf(cancelled({ queuedAt: TASK_START - 24 * HOUR_MS }))).toBe('SUCCEEDED -');
  });

  it('cancels a task whose run has been stopped meanwhile, for the reason of the run', () => {
    const stop = { code: 'EXECUTION_CANCELED_BECAUSE_ERROR_POLICY', detail: 'A task failed.' };
    const drive = cancelled({}, { replies: { admit: [{ ok: true, value: { stop } }] } });
    expect(drive.verdict).toEqual({ status: 'CANCELLED', reason: stop, warnings: [] });
    expect(drive.effects).toEqual(['admit']);
  });

  it('fails a task that cannot be admitted', () => {
    const drive = cancelled({}, { replies: { admit: [faultReply('DATABASE_LOST')] } });
    expect(endOf(drive)).toBe('FAILED DATABASE_LOST');
    expect(drive.effects).toEqual(['admit']);
  });
});

describe('a check that says no ends the task; nothing is touched and no script runs', () => {
  it('row 2: the store has too little free space', () => {
    const drive = driveTask(exportTask(scripts), {
      replies: { checkStore: [{ ok: true, value: { freePercent: 9.9 } }] },
    });
    expect(endOf(drive)).toBe('FAILED NOT_ENOUGH_FREE_SPACE_IN_STORE');
    expect(drive.effects).toEqual(['admit', 'checkStore']);
  });

  it('row 2: the store fails in its own words', () => {
    const drive = driveTask(exportTask(), { replies: { checkStore: [faultReply('STORE_NOT_RESPONDING')] } });
    expect(endOf(drive)).toBe('FAILED STORE_NOT_RESPONDING');
  });

  it('row 3: the device does not answer', () => {
    const drive = driveTask(exportTask(scripts), { blindLooks: [0] });
    expect(endOf(drive)).toBe('FAILED DEVICE_UNREACHABLE');
    expect(drive.effects).toEqual(check);
  });

  const states: DomainRow['quiesceState'][] = ['quiescing', 'quiesced', 'unquiescing', 'error'];

  it.each(states)('row 3: the domain is %s by somebody else, and is left so', (quiesceState) => {
    const drive = driveTask(exportTask({ ...scripts, isQuiesceAsked: true }), {
      rows: [rowOf('default'), rowOf('A', { quiesceState })],
    });
    expect(endOf(drive)).toBe('FAILED DOMAIN_ALREADY_QUIESCED');
    expect(drive.effects).toEqual(check);
    expect(drive.leftQuiesced).toEqual(['A']);
  });

  it.each([allDomainsTask, secureBackupTask])(
    'row 3: a domain of the device is quiesced by somebody else',
    (of) => {
      const drive = driveTask(of({ ...scripts, isQuiesceAsked: true }), {
        rows: [rowOf('default'), rowOf('A'), rowOf('B', { quiesceState: 'quiesced' })],
      });
      expect(endOf(drive)).toBe('FAILED DEVICE_HAS_QUIESCED_DOMAINS');
      expect(drive.verdict.reason?.detail).toBe('The domain B of TEST8 is already quiesced.');
      expect(drive.effects).toEqual(check);
    },
  );

  it('row 3: another domain that is quiesced does not concern the export of one', () => {
    const drive = driveTask(exportTask({ isQuiesceAsked: true }), {
      rows: [rowOf('A'), rowOf('B', { quiesceState: 'quiesced' })],
    });
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(drive.leftQuiesced).toEqual(['B']);
  });

  it('row 3: what is quiesced by somebody else is exported all the same when no quiesce is asked', () => {
    const rows = [rowOf('A', { quiesceState: 'quiesced' })];
    expect(endOf(driveTask(exportTask(), { rows }))).toBe('SUCCEEDED -');
  });

  it('row 3: the device is still being unquiesced after an earlier task', () => {
    const rows = [rowOf('A', { quiesceState: 'quiesced' })];
    const drive = driveTask(exportTask({ isQuiesceAsked: true }), { rows, isGuardedByOther: true });
    expect(endOf(drive)).toBe('FAILED DEVICE_STILL_BEING_UNQUIESCED');
    expect(endOf(driveTask(exportTask(), { isGuardedByOther: true }))).toBe('SUCCEEDED -');
  });

  it('row 4: the domain is gone', () => {
    const drive = driveTask(exportTask(scripts), { rows: [rowOf('default')] });
    expect(endOf(drive)).toBe('FAILED DOMAIN_NOT_ON_DEVICE');
    expect(drive.effects).toEqual(check);
  });

  const secure = { backupMode: 'secure', isCertificateUp: true, freeTemporaryMb: 512 };

  it.each([
    ['the device is not in secure backup mode', 'DEVICE_NOT_IN_DR_MODE', { backupMode: 'normal' }],
    ['the certificate is not up', 'CERT_DOESNT_EXIST_ON_DEVICE', { isCertificateUp: false }],
    ['temporary storage has no room', 'NOT_ENOUGH_FREE_SPACE_ON_DEVICE', { freeTemporaryMb: 511.9 }],
    [
      'all of that; the first row decides',
      'DEVICE_NOT_IN_DR_MODE',
      { backupMode: '', isCertificateUp: false, freeTemporaryMb: 0 },
    ],
    [
      'two of that; the first row decides',
      'CERT_DOESNT_EXIST_ON_DEVICE',
      { isCertificateUp: false, freeTemporaryMb: 0 },
    ],
  ])('row 5: %s', (_, code, seen) => {
    const inspectSecureBackup = [{ ok: true as const, value: { ...secure, ...seen } }];
    const drive = driveTask(secureBackupTask(scripts), { replies: { inspectSecureBackup } });
    expect(endOf(drive)).toBe(`FAILED ${code}`);
    expect(drive.effects).toEqual([...check, 'inspectSecureBackup']);
  });

  it('row 5: the device cannot be inspected', () => {
    const inspectSecureBackup = [faultReply('DEVICE_UNREACHABLE')];
    const drive = driveTask(secureBackupTask(scripts), { replies: { inspectSecureBackup } });
    expect(endOf(drive)).toBe('FAILED DEVICE_UNREACHABLE');
  });

  it('names the device and the value in plain sentences', () => {
    const inspectSecureBackup = [{ ok: true as const, value: { ...secure, freeTemporaryMb: 100 } }];
    const { verdict } = driveTask(secureBackupTask(), { replies: { inspectSecureBackup } });
    expect(verdict.reason?.detail).toBe(
      'TEST8 has 100 MB free in temporary:, less than the 512 MB asked for.',
    );
  });
});

describe('row 4, unsaved changes', () => {
  const both = ['fetchExport persisted', 'fetchExport not persisted', 'publishBackup'];
  const one = ['fetchExport persisted', 'publishBackup'];

  it.each<[string, TaskSpec, string, string[]]>([
    ['of the domain give two exports, published together', exportTask(), 'A', both],
    ['of another domain do not concern it', exportTask(), 'B', one],
    ['of any domain give two exports of all domains', allDomainsTask(), 'B', both],
    ['of the default domain give two exports of all domains', allDomainsTask(), DEFAULT_DOMAIN, both],
  ])('%s', (_, spec, unsaved, expected) => {
    const rows = ['default', 'A', 'B'].map((of) => rowOf(of, { isSaveNeeded: of === unsaved }));
    expect(driveTask(spec, { rows }).effects).toEqual([...check, ...expected]);
  });

  it('give no second export when the first one failed, and nothing is published', () => {
    const rows = [rowOf('A', { isSaveNeeded: true })];
    for (const fetchExport of [
      [faultReply('RESET')],
      [{ ok: true as const, value: emptyFetch }, faultReply('RESET')],
    ]) {
      const drive = driveTask(exportTask(), { rows, replies: { fetchExport } });
      expect(endOf(drive)).toBe('FAILED RESET');
      expect(drive.effects).not.toContain('publishBackup');
      expect(drive.effects.at(-1)).toBe('discardBackup');
    }
  });
});

const emptyFetch = {
  device: { serialNumber: null, model: null, firmwareVersion: null, firmwareBuild: null },
  domains: ['A'],
  files: [],
};

describe('the default domain', () => {
  it('is exported while it runs when a quiesce is asked, with a warning', () => {
    const drive = driveTask(exportTask({ domain: DEFAULT_DOMAIN, isQuiesceAsked: true }));
    expect(drive.effects).toEqual([...check, 'fetchExport persisted', 'publishBackup']);
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(warningsOf(drive)).toEqual(['DEFAULT_DOMAIN_NOT_QUIESCED']);
    expect(drive.isGuardLeft).toBe(false);
  });

  it('gives no warning when none is asked', () => {
    expect(warningsOf(driveTask(exportTask({ domain: DEFAULT_DOMAIN })))).toEqual([]);
  });

  it('alone on a device makes a quiesce of the device one of nothing', () => {
    const drive = driveTask(secureBackupTask({ isQuiesceAsked: true }), { rows: [rowOf('default')] });
    expect(endOf(drive)).toBe('SUCCEEDED -');
    expect(drive.isGuardLeft).toBe(false);
  });
});

describe('row 9, a backup that fails', () => {
  it.each<[string, TaskSpec, TaskWorld['replies'], string[]]>([
    [
      'an export that does not arrive is discarded',
      exportTask(),
      { fetchExport: [faultReply('EXPORT_TRUNCATED')] },
      ['fetchExport persisted', 'discardBackup'],
    ],
    [
      'an export that cannot be published is discarded',
      exportTask(),
      { publishBackup: [faultReply('STORE_OUT_OF_SPACE', 'unknown')] },
      ['fetchExport persisted', 'publishBackup', 'discardBackup'],
    ],
    [
      'a secure backup that the device does not make is removed from there',
      secureBackupTask(),
      { createSecureBackup: [faultReply('DEVICE_REFUSED')] },
      ['createSecureBackup', 'removeSecureBackup'],
    ],
    [
      'a secure backup that does not arrive is removed and discarded',
      secureBackupTask(),
      { fetchSecureBackup: [faultReply('BACKUP_HASH_MISMATCH')] },
      ['createSecureBackup', 'fetchSecureBackup', 'removeSecureBackup', 'discardBackup'],
    ],
  ])('%s, with a code of its own', (_, spec, replies, expected) => {
    const drive = driveTask(spec, { replies: replies ?? {} });
    expect(drive.verdict.status).toBe('FAILED');
    expect(drive.verdict.reason?.detail).toBe(`It was ${drive.verdict.reason?.code}.`);
    expect(drive.effects.slice(check.length).filter((effect) => effect !== 'inspectSecureBackup')).toEqual(
      expected,
    );
  });

  it('goes on to the unquiesce', () => {
    const drive = driveTask(exportTask({ isQuiesceAsked: true }), {
      replies: { fetchExport: [faultReply('RESET')] },
    });
    expect(drive.effects.slice(-4)).toEqual([
      'fetchExport persisted',
      'unquiesce A',
      'look',
      'discardBackup',
    ]);
    expect([drive.isGuardLeft, drive.leftQuiesced]).toEqual([false, []]);
  });

  it('warns of what could not be cleaned up, and keeps its first reason', () => {
    const drive = driveTask(secureBackupTask(), {
      replies: {
        fetchSecureBackup: [faultReply('BACKUP_HASH_MISMATCH')],
        removeSecureBackup: [faultReply('DEVICE_UNREACHABLE')],
        discardBackup: [faultReply('STORE_READ_ONLY')],
      },
    });
    expect(endOf(drive)).toBe('FAILED BACKUP_HASH_MISMATCH');
    expect(warningsOf(drive)).toEqual(['DEVICE_UNREACHABLE', 'STORE_READ_ONLY']);
  });
});
