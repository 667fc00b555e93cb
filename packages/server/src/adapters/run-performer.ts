import { randomUUIDv7 } from 'node:crypto';
import {
  type Activity,
  type Parameters,
  planWindow,
  type Reply,
  type RunEffect,
  type RunOutcomes,
  type RunSpec,
  type RunState,
  type TaskCommand,
  type TaskCounts,
  type TaskDraft,
  type TaskSpec,
} from '@stillpoint/core';
import type { Engine, Performance } from '@stillpoint/engine';
import type { Kysely } from 'kysely';
import { expandOnFleet } from '../app/expand-on-fleet.ts';
import type { Definitions, Fleet, Store } from '../app/ports.ts';
import type { ScriptDesk } from './script-desk.ts';
import type { Tables } from './tables.ts';
import { TASK_PROGRAM } from './task-program.ts';

/** What runs are performed with. The engine hosts the runs too, so it is asked for when it is needed. */
export type RunTools = {
  readonly db: Kysely<Tables>;
  readonly engine: () => Engine;
  readonly definitions: Definitions;
  readonly fleet: Fleet;
  readonly store: Store;
  readonly scripts: ScriptDesk;
  readonly parameters: () => Promise<Parameters>;
  readonly now: () => number;
  readonly hostTimezone: string;
};

type Perform<Type extends RunEffect['type']> = (
  effect: Extract<RunEffect, { type: Type }>,
  state: RunState,
  signal: AbortSignal,
) => Promise<Reply<RunOutcomes[Type]>>;

/** Rows that go into one statement; PostgreSQL takes 65,535 values in one. */
const ROWS_AT_ONCE = 1000;

/** Does what runs want of the world. */
export class RunPerformer {
  readonly #tools: RunTools;

  constructor(tools: RunTools) {
    this.#tools = tools;
  }

  perform(effect: RunEffect, state: RunState, { signal }: Performance): Promise<Reply<unknown>> {
    const perform = this.#effects[effect.type] as Perform<RunEffect['type']>;
    return perform(effect, state, signal);
  }

  readonly #effects: { readonly [Type in RunEffect['type']]: Perform<Type> } = {
    readParameters: async () => {
      const { hostTimezone } = this.#tools;
      return { ok: true, value: { parameters: await this.#tools.parameters(), hostTimezone } };
    },
    checkStore: (_, { parameters }) => this.#tools.store.check(known(parameters)),
    expandPlan: (_, state) => this.#expand(state),
    runPreScript: async (_, { spec }, signal) =>
      this.#tools.scripts.runPrePlan(spec, await this.#planId(spec), signal),
    runPostScript: async (effect, { spec }, signal) =>
      this.#tools.scripts.runPostPlan(spec, await this.#planId(spec), effect, signal),
    queueTasks: (_, { spec }) => this.#queueTasks(spec),
    countTasks: (_, { spec }) => this.#countTasks(spec),
    cancelTasks: (effect, { spec }) => this.#cancelTasks(spec, effect),
  };

  /** Done again after a take-over: what was prepared before has not been queued and is replaced. */
  async #expand({ spec, parameters }: RunState): Promise<Reply<RunOutcomes['expandPlan']>> {
    const { db, engine, definitions, fleet } = this.#tools;
    const values = known(parameters);
    const drafts = await expandOnFleet(
      spec.plan,
      await definitions.devices(),
      fleet,
      values['devices.parallel'],
    );
    const tasks = this.#tasksOf(spec, values, drafts);
    await db.transaction().execute(async (trx) => {
      const old = trx.selectFrom('task').select('id').where('run_id', '=', spec.runId);
      await trx.deleteFrom('journal_subject').where('id', 'in', old).execute();
      await trx.deleteFrom('task').where('run_id', '=', spec.runId).execute();
      for (let from = 0; from < tasks.length; from += ROWS_AT_ONCE) {
        await trx
          .insertInto('task')
          .values(tasks.slice(from, from + ROWS_AT_ONCE).map(({ row }) => row))
          .execute();
      }
      const subjects = tasks
        .filter(({ row }) => row.status === 'WAITING')
        .map(({ row, task }) => ({ id: row.id, spec: task }));
      await engine().create(trx, TASK_PROGRAM, subjects);
    });
    return { ok: true, value: { counts: (await this.#count(spec.runId)).counts } };
  }

  #tasksOf(spec: RunSpec, parameters: Parameters, drafts: readonly TaskDraft[]) {
    const queuedAt = this.#tools.now();
    // Identifiers of one batch, sorted, so that they stand in the order of creation like the numbers do.
    const ids = drafts.map(() => randomUUIDv7() as string).sort();
    return drafts.map((draft, index) => {
      const id = ids[index] ?? '';
      const task = this.#specOf(id, spec, parameters, draft, queuedAt);
      const row = {
        id,
        run_id: spec.runId,
        activity_index: draft.activityIndex,
        action: draft.action,
        device: draft.device,
        domain: draft.domain,
        spec: JSON.stringify(task),
        status: draft.skipped === null ? ('WAITING' as const) : ('SKIPPED' as const),
        reason: draft.skipped === null ? null : JSON.stringify(draft.skipped),
        queued_at: new Date(queuedAt),
        started_at: null,
        ended_at: draft.skipped === null ? null : new Date(queuedAt),
      };
      return { row, task };
    });
  }

  #specOf(
    taskId: string,
    spec: RunSpec,
    parameters: Parameters,
    draft: TaskDraft,
    queuedAt: number,
  ): TaskSpec {
    const activity = spec.plan.activities[draft.activityIndex];
    if (activity === undefined) throw new Error(`The plan has no activity ${draft.activityIndex}.`);
    const window = planWindow(spec.plan, parameters, this.#tools.hostTimezone);
    if ('kind' in window)
      throw new Error(`The run went on with a window that cannot be read: ${window.detail}`);
    return {
      taskId,
      runId: spec.runId,
      action: draft.action,
      device: draft.device,
      domain: draft.domain,
      isAllDomains: draft.isAllDomains,
      isQuiesceAsked: activity.quiesce,
      secureBackup: secureBackupOf(activity),
      preTaskScript: activity.preTaskScript,
      postTaskScript: activity.postTaskScript,
      errorPolicy: draft.errorPolicy,
      window: spec.windowOverrideReason === null ? window : null,
      limits: {
        quiesceTimeoutSeconds: parameters['quiesce.timeoutSeconds'],
        quiesceGraceSeconds: parameters['quiesce.graceSeconds'],
        unquiesceTimeoutSeconds: parameters['unquiesce.timeoutSeconds'],
        unquiesceGraceSeconds: parameters['unquiesce.graceSeconds'],
        settleMs: parameters['quiesce.settleSeconds'] * 1000,
        pollMs: parameters['quiesce.pollMs'],
        queueMaxMs: parameters['queue.maxHours'] * 3_600_000,
        minFreeStorePercent: parameters['store.minFreePercent'],
        minFreeTemporaryMb: parameters['device.minFreeTemporaryMb'],
        verifiesExportHashes: parameters['verify.exportHashes'],
      },
      queuedAt,
    };
  }

  async #queueTasks({ runId }: RunSpec): Promise<Reply<null>> {
    const { db, engine } = this.#tools;
    await db.transaction().execute(async (trx) => {
      const rows = await trx
        .selectFrom('task')
        .select(['id', 'number', 'device'])
        .where('run_id', '=', runId)
        .where('status', '=', 'WAITING')
        .orderBy('number')
        .execute();
      for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
        const entries = rows
          .slice(from, from + ROWS_AT_ONCE)
          .map(({ id, number, device }) => ({ subjectId: id, key: device, order: number }));
        await engine().enqueue(trx, TASK_PROGRAM, entries);
      }
    });
    engine().lookForWork();
    return { ok: true, value: null };
  }

  async #countTasks({ runId }: RunSpec): Promise<Reply<RunOutcomes['countTasks']>> {
    return { ok: true, value: await this.#count(runId) };
  }

  async #count(runId: string): Promise<RunOutcomes['countTasks']> {
    const { db } = this.#tools;
    const rows = await db
      .selectFrom('task')
      .select((row) => ['status', row.fn.countAll<number>().as('count')])
      .where('run_id', '=', runId)
      .groupBy('status')
      .execute();
    const counts: { -readonly [Status in keyof TaskCounts]: number } = { ...noTasks };
    for (const { status, count } of rows) counts[status.toLowerCase() as keyof TaskCounts] = count;
    const run = await db
      .selectFrom('run')
      .select('is_halted')
      .where('id', '=', runId)
      .executeTakeFirstOrThrow();
    return { counts, isHalted: run.is_halted };
  }

  async #cancelTasks(
    { runId }: RunSpec,
    { reason, includesRunning }: Extract<RunEffect, { type: 'cancelTasks' }>,
  ): Promise<Reply<null>> {
    const { db, engine } = this.#tools;
    const rows = await db
      .selectFrom('task')
      .select('id')
      .where('run_id', '=', runId)
      .where('status', 'in', includesRunning ? ['WAITING', 'RUNNING'] : ['WAITING'])
      .execute();
    const sparesStarted = !includesRunning;
    for (const { id } of rows) {
      await engine().tell(id, {
        type: 'cancel',
        status: 'CANCELLED',
        sparesStarted,
        reason,
      } satisfies TaskCommand);
    }
    return { ok: true, value: null };
  }

  async #planId({ plan }: RunSpec): Promise<string> {
    const row = await this.#tools.db
      .selectFrom('plan')
      .select('id')
      .where('name', '=', plan.name)
      .executeTakeFirst();
    return row?.id ?? plan.name;
  }
}

const noTasks: TaskCounts = { waiting: 0, running: 0, succeeded: 0, failed: 0, skipped: 0, cancelled: 0 };

function known(parameters: Parameters | null): Parameters {
  if (parameters === null) throw new Error('The run went on without its parameters.');
  return parameters;
}

function secureBackupOf(activity: Activity): TaskSpec['secureBackup'] {
  if (activity.action !== 'SECURE_BACKUP') return null;
  const { certificate, includesIscsi, includesRaid } = activity;
  return { certificate, includesIscsi, includesRaid };
}
