import { randomUUID } from 'node:crypto';
import type { Parameters, Plan, Reply, RunEffect, RunSpec, TaskEffect, TaskSpec } from '@stillpoint/core';
import type { Kysely } from 'kysely';
import { endScriptProcesses, findScriptProcesses } from './end-script-processes.ts';
import { runScript } from './run-script.ts';
import type { Tables } from './tables.ts';

/** Field that is for future use in the arguments that scripts are given. */
const FUTURE_USE = 'FFU';

/** The kernel takes no argument of 128 KiB or more. */
const LONGEST_LIST_BYTES = 120 * 1024;

type Exit = Reply<{ readonly exitCode: number }>;
type Facts = Readonly<Record<string, string | number | null>>;

/** How long a script that is told to end may take for it. */
const GRACE_MS = 5_000;

/** A start waits no longer for the end of what an earlier process has left. */
const LEFT_BEHIND_MS = 5_000;

/** What scripts are run with. */
export type ScriptSurroundings = {
  readonly parameters: () => Promise<Parameters>;
  /** Where scripts are as long as the parameter `scripts.path` is not set. */
  readonly defaultFolder: string;
  /** Asked right before a script is started. */
  readonly mayBegin: () => boolean;
  /** The node whose scripts these are; what it has left behind is found by it after a crash. */
  readonly nodeId: string;
};

/** Has scripts run with the arguments that operators know, and keeps what they printed. */
export class ScriptDesk {
  readonly #db: Kysely<Tables>;
  readonly #surroundings: ScriptSurroundings;

  constructor(db: Kysely<Tables>, surroundings: ScriptSurroundings) {
    this.#db = db;
    this.#surroundings = surroundings;
  }

  /**
   * Ends what scripts of this node still have running after its process died; answers how many processes that were, and the
   * ids of those that could not be ended. To be called before any script is begun.
   */
  async endLeftBehind(): Promise<{ readonly count: number; readonly leftRunning: readonly number[] }> {
    const meant = { marker: markerOf(this.#surroundings.nodeId) };
    const { length: count } = await findScriptProcesses(meant);
    return { count, leftRunning: count === 0 ? [] : await endScriptProcesses(meant, LEFT_BEHIND_MS) };
  }

  async runPrePlan({ runId, plan }: RunSpec, planId: string, signal: AbortSignal): Promise<Exit> {
    const args = ['BACKUP-PLAN', 'PRE', planId, plan.name];
    const facts = { kind: 'BACKUP-PLAN', phase: 'PRE', planId, planName: plan.name, runId };
    return this.#run(runId, 'pre', plan.prePlanScript, args, facts, signal);
  }

  async runPostPlan(
    { runId, plan }: RunSpec,
    planId: string,
    end: Extract<RunEffect, { type: 'runPostScript' }>,
    signal: AbortSignal,
  ): Promise<Exit> {
    const { statusCode, message } = end;
    const tasks = await this.#taskList(runId);
    const args = [
      'BACKUP-PLAN',
      'POST',
      planId,
      plan.name,
      statusCode,
      message ?? 'NONE',
      FUTURE_USE,
      FUTURE_USE,
      asArgument(tasks),
    ];
    const facts = {
      kind: 'BACKUP-PLAN',
      phase: 'POST',
      planId,
      planName: plan.name,
      runId,
      statusCode,
      message,
      tasks: tasks.join('~'),
    };
    return this.#run(runId, 'post', plan.postPlanScript, args, facts, signal);
  }

  async runPreTask(spec: TaskSpec, signal: AbortSignal): Promise<Exit> {
    const { plan, device } = await this.#contextOf(spec);
    const domain = domainOf(spec);
    const args = [
      'BACKUP-TASK',
      'PRE',
      spec.taskId,
      plan.name,
      actionOf(spec),
      spec.device,
      device.host,
      device.port,
      domain,
    ];
    return this.#run(
      spec.taskId,
      'pre',
      spec.preTaskScript,
      args,
      this.#taskFacts(spec, plan, device, 'PRE'),
      signal,
    );
  }

  async runPostTask(
    spec: TaskSpec,
    end: Extract<TaskEffect, { type: 'runPostScript' }>,
    signal: AbortSignal,
  ): Promise<Exit> {
    const { plan, device } = await this.#contextOf(spec);
    const { statusCode, message } = end;
    const args = [
      ...[
        'BACKUP-TASK',
        'POST',
        spec.taskId,
        plan.name,
        statusCode,
        message ?? 'NONE',
        FUTURE_USE,
        FUTURE_USE,
      ],
      ...[actionOf(spec), spec.device, device.host, device.port, domainOf(spec)],
    ];
    const facts = { ...this.#taskFacts(spec, plan, device, 'POST'), statusCode, message };
    return this.#run(spec.taskId, 'post', spec.postTaskScript?.script ?? null, args, facts, signal);
  }

  #taskFacts(
    spec: TaskSpec,
    plan: Plan,
    device: { host: string; port: string },
    phase: 'PRE' | 'POST',
  ): Facts {
    return {
      kind: 'BACKUP-TASK',
      phase,
      taskId: spec.taskId,
      runId: spec.runId,
      planName: plan.name,
      action: actionOf(spec),
      deviceName: spec.device,
      deviceHost: device.host,
      somaPort: device.port,
      domain: domainOf(spec),
    };
  }

  async #contextOf(spec: TaskSpec): Promise<{ plan: Plan; device: { host: string; port: string } }> {
    const run = await this.#db
      .selectFrom('run')
      .select('spec')
      .where('id', '=', spec.runId)
      .executeTakeFirstOrThrow();
    const row = await this.#db
      .selectFrom('device')
      .select(['host', 'soma_port'])
      .where('name', '=', spec.device)
      .executeTakeFirst();
    const { plan } = run.spec as RunSpec;
    return { plan, device: { host: row?.host ?? '', port: String(row?.soma_port ?? '') } };
  }

  async #taskList(runId: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('task')
      .select(['id', 'action', 'device', 'domain', 'status'])
      .where('run_id', '=', runId)
      .orderBy('number')
      .execute();
    return rows.map(
      ({ id, action, device, domain, status }) =>
        `${id},${nameOfAction[action]},${device},${domain ?? 'ALL'},${status}`,
    );
  }

  async #run(
    subjectId: string,
    phase: 'pre' | 'post',
    name: string | null,
    args: readonly string[],
    facts: Facts,
    signal: AbortSignal,
  ): Promise<Exit> {
    if (name === null) throw new Error(`The ${phase} script of ${subjectId} has no name.`);
    const { parameters, defaultFolder, mayBegin, nodeId } = this.#surroundings;
    const values = await parameters();
    const {
      reply,
      output: printed,
      leftRunning,
    } = await runScript({
      folder: values['scripts.path'] ?? defaultFolder,
      name,
      args,
      facts,
      marker: markerOf(nodeId, randomUUID()),
      timeoutMs: values['scripts.timeoutSeconds'] * 1000,
      graceMs: GRACE_MS,
      signal,
      mayBegin,
    });
    const notes = [
      ...(reply.ok ? [] : [reply.fault.detail]),
      ...(leftRunning.length === 0
        ? []
        : [`It left running, and nobody could end: ${leftRunning.join(', ')}.`]),
    ];
    const output = [printed, ...notes.map((note) => `${note}\n`)].join('');
    const end = { exit_code: reply.ok ? reply.value.exitCode : null, output, ended_at: new Date() };
    await this.#db
      .insertInto('script_output')
      .values({ subject_id: subjectId, phase, script: name, ...end })
      .onConflict((found) => found.columns(['subject_id', 'phase']).doUpdateSet(end))
      .execute();
    return reply;
  }
}

/** The marker of one script of a node, or, without a script, how those of all its scripts begin. */
export const markerOf = (nodeId: string, scriptId = ''): string => `${nodeId}/${scriptId}`;

const nameOfAction = { EXPORT_DOMAIN: 'exportDomain', SECURE_BACKUP: 'secureBackup' } as const;

const actionOf = ({ action }: TaskSpec): string => nameOfAction[action];

/** As many whole tasks as an argument can hold; all of them are on standard input. */
function asArgument(tasks: readonly string[]): string {
  let sizeBytes = 0;
  const count = tasks.findIndex((task) => {
    sizeBytes += Buffer.byteLength(task) + 1;
    return sizeBytes > LONGEST_LIST_BYTES;
  });
  return tasks.slice(0, count === -1 ? tasks.length : count).join('~');
}

/** The domain as scripts are told it. */
function domainOf({ domain, isAllDomains }: TaskSpec): string {
  return domain === null || isAllDomains ? 'ALL' : domain;
}
