import {
  type DomainRow,
  type Fault,
  isLook,
  reasonOf,
  type TaskCommand,
  type TaskEffect,
  type TaskFact,
  type TaskSpec,
  type TaskState,
  type TaskStep,
} from '@stillpoint/core';
import type { Database } from '@stillpoint/database';
import { openTestDatabase } from '@stillpoint/database/testing';
import type { AnyProgram } from '@stillpoint/engine';
import type { Transaction } from 'kysely';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { storedRecords } from '../adapters/stored-records.ts';
import type { Tables } from '../adapters/tables.ts';
import { emptyTables } from '../testing/empty-tables.ts';
import { sampleQueuedAt, sampleTask } from '../testing/sample-task.ts';
import { seedRun, seedTask } from '../testing/seed-run.ts';
import { taskProgram } from './task-program.ts';

const file = { sizeBytes: 1, sha256: 'f'.repeat(64), isPersisted: true };
const device = { serialNumber: '1', model: 'M', firmwareVersion: '10.6', firmwareBuild: '7' };
const refusal: Fault = { code: 'ACTION_REFUSED', effect: 'none', retryable: false, detail: 'It said no.' };

let database: Database<Tables>;
let program: AnyProgram<Transaction<Tables>>;

beforeAll(async () => {
  database = await openTestDatabase<Tables>();
  const perform = () => Promise.reject(new Error('The test performs.'));
  program = taskProgram({ perform }, storedRecords(database.kysely));
});

afterAll(() => database.close());

beforeEach(() => emptyTables(database.kysely));

/** A task on a device that obeys; faults in place of single answers. */
class Drive {
  readonly spec: TaskSpec;
  readonly #faults: Partial<Record<TaskEffect['type'], Fault>>;
  state: TaskState;
  now = sampleQueuedAt;
  phase: DomainRow['quiesceState'] = 'normal';

  constructor(spec: TaskSpec, faults: Partial<Record<TaskEffect['type'], Fault>> = {}) {
    this.spec = spec;
    this.#faults = faults;
    this.state = program.begin(spec) as TaskState;
  }

  /** Takes steps until one of them wants the effect, or to the end. */
  async until(type: TaskEffect['type'] | 'end'): Promise<void> {
    for (;;) {
      const step = program.next(this.state, this.now, this.now) as TaskStep;
      if (step.kind === 'do' && step.effect.type === type) return;
      if (step.kind === 'finish') {
        await this.record({ type: 'ended', at: this.now, verdict: step.verdict });
        if (type !== 'end') throw new Error(`The task ended before ${type}: ${JSON.stringify(step.verdict)}`);
        return;
      }
      if (step.kind === 'later') throw new Error('The task was put off.');
      if (step.kind === 'wait') this.now = step.until;
      else if (step.kind === 'note') await this.record({ type: 'noted', at: this.now, note: step.note });
      else await this.perform(step.effect);
    }
  }

  async perform(effect: TaskEffect): Promise<void> {
    if (!isLook(effect)) await this.record({ type: 'intended', at: this.now, effect });
    this.now += 1000;
    const fault = this.#faults[effect.type];
    const reply = fault === undefined ? { ok: true, value: this.#answer(effect) } : { ok: false, fault };
    await this.record({ type: 'settled', at: this.now, effect, reply } as TaskFact);
  }

  /** As the engine does it: fact and projection are one transaction, which `fails` may end. */
  async record(fact: TaskFact, fails = false): Promise<void> {
    const before = this.state;
    const after = program.evolve(before, fact) as TaskState;
    await database.kysely.transaction().execute(async (trx) => {
      await program.project(trx, { subjectId: this.spec.taskId, fact, before, after });
      if (fails) throw new Error('The power went.');
    });
    this.state = after;
  }

  #answer(effect: TaskEffect): unknown {
    if (effect.type === 'quiesce') this.phase = 'quiesced';
    if (effect.type === 'unquiesce') this.phase = 'normal';
    const rows = [{ domain: 'DOMAIN1', isSaveNeeded: false, quiesceState: this.phase }];
    const answers: Partial<Record<TaskEffect['type'], unknown>> = {
      admit: { stop: null },
      checkStore: { freePercent: 50 },
      look: { rows, isGuardedByOther: false },
      fetchExport: { device, domains: ['DOMAIN1'], files: [{ ...file, name: 'persisted.zip' }] },
      publishBackup: { takenAt: sampleQueuedAt, files: [{ ...file, path: 'QA1/domain/DOMAIN1/x.zip' }] },
    };
    return answers[effect.type] ?? null;
  }
}

async function begin(more: Partial<TaskSpec> = {}, faults: Partial<Record<TaskEffect['type'], Fault>> = {}) {
  const run = await seedRun(database.kysely);
  const spec = sampleTask({ isQuiesceAsked: true, ...more, runId: run.runId });
  await seedTask(database.kysely, spec, { status: 'WAITING' });
  return new Drive(spec, faults);
}

const quiesce: TaskEffect = {
  type: 'quiesce',
  scope: { kind: 'domain', domain: 'DOMAIN1' },
  timeoutSeconds: 120,
};

const guards = () =>
  database.kysely
    .selectFrom('device_guard')
    .select(['device', 'scope', 'intended_at', 'quiesced_at', 'released_at'])
    .execute();
const task = () =>
  database.kysely
    .selectFrom('task')
    .select(['status', 'reason', 'started_at', 'ended_at', 'warnings'])
    .executeTakeFirstOrThrow();
const isHalted = async () =>
  (await database.kysely.selectFrom('run').select('is_halted').executeTakeFirstOrThrow()).is_halted;

describe('the guard of a device', () => {
  it('is opened with the intent to quiesce, told when quiesced, and closed with the sight of it running', async () => {
    const drive = await begin();
    await drive.until('quiesce');
    expect(await guards()).toEqual([]);
    const intendedAt = new Date(drive.now);
    await drive.record({ type: 'intended', at: drive.now, effect: quiesce });
    const open = { device: 'QA1', scope: quiesce.scope, intended_at: intendedAt };
    expect(await guards()).toEqual([{ ...open, quiesced_at: null, released_at: null }]);
    drive.phase = 'quiesced';
    await drive.record({ type: 'settled', at: drive.now, effect: quiesce, reply: { ok: true, value: null } });
    await drive.until('unquiesce');
    expect(await guards()).toMatchObject([{ quiesced_at: expect.any(Date), released_at: null }]);
    await drive.perform({ type: 'unquiesce', scope: quiesce.scope });
    expect(await guards()).toMatchObject([{ released_at: null }]);
    await drive.until('end');
    expect(await guards()).toMatchObject([{ released_at: expect.any(Date) }]);
    expect(await task()).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('is not there when the transaction of the intent was not kept', async () => {
    const drive = await begin();
    await drive.until('quiesce');
    await expect(drive.record({ type: 'intended', at: drive.now, effect: quiesce }, true)).rejects.toThrow(
      'power',
    );
    expect(await guards()).toEqual([]);
  });

  it('is closed when the device certainly refused', async () => {
    const drive = await begin({}, { quiesce: refusal });
    await drive.until('end');
    expect(await guards()).toMatchObject([{ quiesced_at: null, released_at: expect.any(Date) }]);
    expect(await task()).toMatchObject({ status: 'FAILED' });
  });

  it('stays open when the task gives up on a device that was never seen running', async () => {
    const drive = await begin({}, { unquiesce: { ...refusal, effect: 'unknown' } });
    await drive.until('end');
    expect(await task()).toMatchObject({ status: 'FAILED', reason: { code: 'UNQUIESCE_TIMEOUT' } });
    expect(await guards()).toMatchObject([{ quiesced_at: expect.any(Date), released_at: null }]);
  });

  it('is never opened by a task that does not quiesce', async () => {
    const drive = await begin({ isQuiesceAsked: false });
    await drive.until('end');
    expect(await guards()).toEqual([]);
    expect(await task()).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('is one per device: a second one is a mistake of ours that is stopped before the request', async () => {
    const first = await begin();
    await first.until('quiesce');
    await first.record({ type: 'intended', at: first.now, effect: quiesce });
    const second = await begin();
    await second.until('quiesce');
    await expect(second.record({ type: 'intended', at: second.now, effect: quiesce })).rejects.toThrow(
      'device_guard_open',
    );
    expect(await guards()).toHaveLength(1);
  });
});

describe('what others read of a task', () => {
  it('is waiting until it was let in, then running', async () => {
    const drive = await begin();
    expect(await task()).toMatchObject({ status: 'WAITING', started_at: null });
    await drive.until('admit');
    expect(await task()).toMatchObject({ status: 'WAITING' });
    await drive.until('checkStore');
    expect(await task()).toMatchObject({
      status: 'RUNNING',
      started_at: new Date(drive.now),
      ended_at: null,
    });
  });

  it('is its end with reason and warnings', async () => {
    const drive = await begin();
    const reason = reasonOf('INTERRUPTED', 'The server was stopped.');
    const verdict = { status: 'CANCELLED', reason, warnings: [reason] } as const;
    await drive.record({ type: 'ended', at: drive.now, verdict });
    expect(await task()).toMatchObject({ ...verdict, ended_at: new Date(drive.now) });
  });

  it('is its backup in the catalogue from the moment it is published, with its device, plan and run', async () => {
    const drive = await begin();
    await drive.until('publishBackup');
    const backups = database.kysely.selectFrom('backup').selectAll();
    expect(await backups.execute()).toEqual([]);
    await drive.perform({ type: 'publishBackup' });
    expect(await backups.execute()).toMatchObject([
      {
        task_id: drive.spec.taskId,
        run_id: drive.spec.runId,
        plan_name: 'nightly',
        state: 'good',
        is_persisted: true,
        serial_number: '1',
        firmware_build: '7',
        taken_at: new Date(sampleQueuedAt),
      },
    ]);
    expect(await database.kysely.selectFrom('backup_file').select('path').execute()).toEqual([
      { path: 'QA1/domain/DOMAIN1/x.zip' },
    ]);
  });

  it('is no backup when publishing failed', async () => {
    const drive = await begin({}, { publishBackup: refusal });
    await drive.until('end');
    expect(await database.kysely.selectFrom('backup').select('id').execute()).toEqual([]);
    expect(await task()).toMatchObject({ status: 'FAILED' });
  });
});

describe('a task that fails', () => {
  it.each([
    ['halt', 'FAILED', true],
    ['ignore', 'FAILED', false],
    ['halt', 'CANCELLED', false],
    ['halt', 'SUCCEEDED', false],
  ] as const)(
    'under the policy %s, ended %s: the run is halted: %s',
    async (errorPolicy, status, expected) => {
      const drive = await begin({ errorPolicy });
      await drive.record({ type: 'ended', at: drive.now, verdict: { status, reason: null, warnings: [] } });
      expect(await isHalted()).toBe(expected);
    },
  );

  it('halts its run with its end or not at all', async () => {
    const drive = await begin();
    const verdict = { status: 'FAILED', reason: null, warnings: [] } as const;
    await expect(drive.record({ type: 'ended', at: drive.now, verdict }, true)).rejects.toThrow('power');
    expect(await isHalted()).toBe(false);
    expect(await task()).toMatchObject({ status: 'WAITING' });
  });
});

it('a look is news only when it showed something else than before', async () => {
  const drive = await begin();
  await drive.until('quiesce');
  await drive.perform(quiesce);
  const look = (at: number) => {
    const rows = [{ domain: 'DOMAIN1', isSaveNeeded: false, quiesceState: 'quiescing' }];
    const reply = { ok: true, value: { rows, isGuardedByOther: false } } as const;
    return program.evolve(drive.state, { type: 'settled', at, effect: { type: 'look' }, reply }) as TaskState;
  };
  const first = look(drive.now);
  expect(program.isNews(drive.state, first)).toBe(true);
  drive.state = first;
  expect(program.isNews(first, look(drive.now + 5000))).toBe(false);
});

describe('what is cut off while it goes on', () => {
  const command: TaskCommand = {
    type: 'cancel',
    status: 'CANCELLED',
    sparesStarted: false,
    reason: reasonOf('EXECUTION_CANCELED_BY_OPERATOR', 'Enough.'),
  };
  const postTaskScript = { script: 'after.sh', when: 'always' } as const;

  it.each(['runPreScript', 'fetchExport'] as const)('by a cancel is %s', async (type) => {
    const run = await seedRun(database.kysely);
    const preTaskScript = type === 'runPreScript' ? 'before.sh' : null;
    const task = sampleTask({ ...run, preTaskScript, postTaskScript });
    await seedTask(database.kysely, task);
    const drive = new Drive(task);
    await drive.until(type);
    const { effect } = program.next(drive.state, drive.now, drive.now) as { effect: TaskEffect };
    await drive.record({ type: 'intended', at: drive.now, effect });
    expect(program.isGivenUp(drive.state, effect)).toBe(false);
    await drive.record({ type: 'told', at: drive.now, command });
    expect(program.isGivenUp(drive.state, effect)).toBe(true);
  });

  it('is the script after a cancelled task only by another cancel', async () => {
    const run = await seedRun(database.kysely);
    const task = sampleTask({ ...run, postTaskScript });
    await seedTask(database.kysely, task);
    const drive = new Drive(task);
    await drive.until('fetchExport');
    await drive.record({ type: 'told', at: drive.now, command });
    await drive.until('runPostScript');
    const { effect } = program.next(drive.state, drive.now, drive.now) as { effect: TaskEffect };
    await drive.record({ type: 'intended', at: drive.now, effect });
    expect(program.isGivenUp(drive.state, effect)).toBe(false);
    await drive.record({ type: 'told', at: drive.now, command });
    expect(program.isGivenUp(drive.state, effect)).toBe(true);
  });
});
