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
  type TaskDraft,
  type TaskSpec,
} from '@stillpoint/core';
import type { Clock, Engine, Performance } from '@stillpoint/engine';
import { expandOnFleet } from '../app/expand-on-fleet.ts';
import type { Definitions, Fleet, Store } from '../app/ports.ts';
import { mayNotAct } from '../movers/may-not-act.ts';
import type { NewTask, Records, Scripts } from './ports.ts';
import { TASK_PROGRAM } from './task-program.ts';

/** What runs are performed with. The engine hosts the runs too, so it is asked for when it is needed. */
export type RunTools<Transaction> = {
  readonly records: Pick<Records<Transaction>, 'plans' | 'runs' | 'tasks'>;
  readonly engine: () => Engine<Transaction>;
  readonly definitions: Pick<Definitions, 'devices'>;
  readonly fleet: Pick<Fleet, 'readInventory'>;
  readonly store: Pick<Store, 'check'>;
  readonly scripts: Scripts;
  readonly parameters: () => Promise<Parameters>;
  readonly clock: Pick<Clock, 'now'>;
  /** Identifiers that sort in the order in which they were made. */
  readonly newId: () => string;
  readonly hostTimezone: string;
};

type Perform<Type extends RunEffect['type'], Transaction> = (
  effect: Extract<RunEffect, { type: Type }>,
  state: RunState,
  performance: Performance<Transaction>,
) => Promise<Reply<RunOutcomes[Type]>>;

/** What goes into the queue at once. */
const ENTRIES_AT_ONCE = 1000;

/** Does what runs want of the world. */
export class RunPerformer<Transaction> {
  readonly #tools: RunTools<Transaction>;

  constructor(tools: RunTools<Transaction>) {
    this.#tools = tools;
  }

  perform(
    effect: RunEffect,
    state: RunState,
    performance: Performance<Transaction>,
  ): Promise<Reply<unknown>> {
    const perform = this.#effects[effect.type] as Perform<RunEffect['type'], Transaction>;
    return perform(effect, state, performance);
  }

  readonly #effects: { readonly [Type in RunEffect['type']]: Perform<Type, Transaction> } = {
    lookForEarlierRuns: async (_, { spec }) => ({
      ok: true,
      value: { areOver: await this.#tools.records.runs.areEarlierRunsOver(spec.runId) },
    }),
    readParameters: async () => {
      const { hostTimezone } = this.#tools;
      return { ok: true, value: { parameters: await this.#tools.parameters(), hostTimezone } };
    },
    checkStore: (_, { parameters }) => this.#tools.store.check(known(parameters)),
    expandPlan: (_, state, performance) => this.#expand(state, performance),
    runPreScript: async (_, { spec }, { signal }) =>
      this.#tools.scripts.runPrePlan(spec, await this.#planId(spec), signal),
    runPostScript: async (effect, { spec }, { signal }) =>
      this.#tools.scripts.runPostPlan(spec, await this.#planId(spec), effect, signal),
    queueTasks: (_, { spec }, performance) => this.#queueTasks(spec, performance),
    countTasks: (_, { spec }) => this.#countTasks(spec),
    cancelTasks: (effect, { spec }) => this.#cancelTasks(spec, effect),
  };

  /** Done again after a take-over: what was prepared before has not been queued and is replaced. */
  async #expand(
    { spec, parameters }: RunState,
    { signal, transact }: Performance<Transaction>,
  ): Promise<Reply<RunOutcomes['expandPlan']>> {
    const { records, engine, definitions, fleet } = this.#tools;
    const values = known(parameters);
    const { repeatsRunId } = spec;
    const only = repeatsRunId === undefined ? null : await records.tasks.tasksToRepeat(repeatsRunId);
    const drafts = await expandOnFleet(
      spec.plan,
      await definitions.devices(),
      fleet,
      values['devices.parallel'],
      signal,
      only,
    );
    const tasks = this.#tasksOf(spec, values, drafts);
    const toQueue = tasks.filter(({ skipped }) => skipped === null);
    const { kind } = await transact(async (trx) => {
      await records.tasks.replaceTasks(trx, spec.runId, tasks);
      const subjects = toQueue.map(({ spec: task }) => ({ id: task.taskId, spec: task }));
      await engine().create(trx, TASK_PROGRAM, subjects);
    });
    if (kind === 'lost') return heldByOther(spec);
    return { ok: true, value: { counts: await records.tasks.countTasks(spec.runId) } };
  }

  #tasksOf(spec: RunSpec, parameters: Parameters, drafts: readonly TaskDraft[]): NewTask[] {
    const { clock, newId } = this.#tools;
    const queuedAt = clock.now();
    // Identifiers of one batch, sorted, so that they stand in the order of creation like the numbers do.
    const ids = drafts.map(() => newId()).sort();
    return drafts.map((draft, index) => ({
      spec: this.#specOf(ids[index] ?? '', spec, parameters, draft, queuedAt),
      activityIndex: draft.activityIndex,
      skipped: draft.skipped,
    }));
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
      retry: activity.retry,
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

  async #queueTasks(spec: RunSpec, { transact }: Performance<Transaction>): Promise<Reply<null>> {
    const { records, engine } = this.#tools;
    const { kind } = await transact(async (trx) => {
      const waiting = await records.tasks.waitingTasks(trx, spec.runId);
      const entries = waiting.map(({ taskId, number, device }) => ({
        subjectId: taskId,
        key: device,
        order: number,
      }));
      for (let from = 0; from < entries.length; from += ENTRIES_AT_ONCE) {
        await engine().enqueue(trx, TASK_PROGRAM, entries.slice(from, from + ENTRIES_AT_ONCE));
      }
    });
    if (kind === 'lost') return heldByOther(spec);
    engine().lookForWork();
    return { ok: true, value: null };
  }

  async #countTasks({ runId }: RunSpec): Promise<Reply<RunOutcomes['countTasks']>> {
    const { tasks, runs } = this.#tools.records;
    const counts = await tasks.countTasks(runId);
    return { ok: true, value: { counts, isHalted: await runs.isHalted(runId) } };
  }

  async #cancelTasks(
    { runId }: RunSpec,
    { reason, includesRunning }: Extract<RunEffect, { type: 'cancelTasks' }>,
  ): Promise<Reply<null>> {
    const { records, engine } = this.#tools;
    const sparesStarted = !includesRunning;
    const command: TaskCommand = { type: 'cancel', status: 'CANCELLED', sparesStarted, reason };
    for (const taskId of await records.tasks.unfinishedTasks(runId, includesRunning)) {
      await engine().tell(taskId, command);
    }
    return { ok: true, value: null };
  }

  async #planId({ plan }: RunSpec): Promise<string> {
    return (await this.#tools.records.plans.planIdOf(plan.name)) ?? plan.name;
  }
}

/** Goes nowhere: who no longer holds a run writes no outcome either. */
function heldByOther({ runId }: RunSpec): Reply<never> {
  return mayNotAct(`Run ${runId} is in other hands.`);
}

function known(parameters: Parameters | null): Parameters {
  if (parameters === null) throw new Error('The run went on without its parameters.');
  return parameters;
}

function secureBackupOf(activity: Activity): TaskSpec['secureBackup'] {
  if (activity.action !== 'SECURE_BACKUP') return null;
  const { certificate, includesIscsi, includesRaid } = activity;
  return { certificate, includesIscsi, includesRaid };
}
