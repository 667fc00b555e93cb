import { randomUUID } from 'node:crypto';
import type { Parameters, Reply, RunEffect, RunSpec, TaskEffect, TaskSpec } from '@stillpoint/core';
import { type Kysely, sql } from 'kysely';
import { type EndedProcesses, endScriptProcesses } from './end-script-processes.ts';
import { runScript } from './run-script.ts';
import {
  postPlanCall,
  postTaskCall,
  prePlanCall,
  preTaskCall,
  type ScriptCall,
  type TaskOfScript,
} from './script-call.ts';
import type { Tables } from './tables.ts';

type Exit = Reply<{ readonly exitCode: number }>;

/** How long a script that is told to end may take for it; no longer than others leave alone what a fenced node was at. */
export const GRACE_MS = 3_000;

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
  endLeftBehind(): Promise<EndedProcesses> {
    return endScriptProcesses({ marker: markerOf(this.#surroundings.nodeId) }, LEFT_BEHIND_MS);
  }

  async runPrePlan({ runId, plan }: RunSpec, planId: string, signal: AbortSignal): Promise<Exit> {
    const call = prePlanCall({ planId, planName: plan.name, runId });
    return this.#run(runId, 'pre', plan.prePlanScript, call, signal);
  }

  async runPostPlan(
    { runId, plan }: RunSpec,
    planId: string,
    end: Extract<RunEffect, { type: 'runPostScript' }>,
    signal: AbortSignal,
  ): Promise<Exit> {
    const call = postPlanCall({ planId, planName: plan.name, runId }, end, await this.#taskList(runId));
    return this.#run(runId, 'post', plan.postPlanScript, call, signal);
  }

  async runPreTask(spec: TaskSpec, signal: AbortSignal): Promise<Exit> {
    return this.#run(spec.taskId, 'pre', spec.preTaskScript, preTaskCall(await this.#taskOf(spec)), signal);
  }

  async runPostTask(
    spec: TaskSpec,
    end: Extract<TaskEffect, { type: 'runPostScript' }>,
    signal: AbortSignal,
  ): Promise<Exit> {
    const call = postTaskCall(await this.#taskOf(spec), end);
    return this.#run(spec.taskId, 'post', spec.postTaskScript?.script ?? null, call, signal);
  }

  async #taskOf(spec: TaskSpec): Promise<TaskOfScript> {
    const run = await this.#db
      .selectFrom('run')
      .select('spec')
      .where('id', '=', spec.runId)
      .executeTakeFirstOrThrow();
    const device = await this.#db
      .selectFrom('device')
      .select(['host', 'soma_port'])
      .where('name', '=', spec.device)
      .executeTakeFirst();
    return {
      taskId: spec.taskId,
      runId: spec.runId,
      planName: (run.spec as RunSpec).plan.name,
      action: nameOfAction[spec.action],
      deviceName: spec.device,
      deviceHost: device?.host ?? '',
      somaPort: String(device?.soma_port ?? ''),
      domain: domainOf(spec),
    };
  }

  async #taskList(runId: string): Promise<string[]> {
    const rows = await this.#db
      .selectFrom('task')
      .select(['id', 'action', 'device', 'domain', 'status'])
      .select(sql<boolean>`(spec->>'isAllDomains')::boolean`.as('isAllDomains'))
      .where('run_id', '=', runId)
      .orderBy('number')
      .execute();
    return rows.map(
      ({ id, action, device, status, ...place }) =>
        `${id},${nameOfAction[action]},${device},${domainOf(place)},${status}`,
    );
  }

  async #run(
    subjectId: string,
    phase: 'pre' | 'post',
    name: string | null,
    call: ScriptCall,
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
      ...call,
      marker: markerOf(nodeId, randomUUID()),
      timeoutMs: values['scripts.timeoutSeconds'] * 1000,
      graceMs: GRACE_MS,
      signal,
      mayBegin,
    });
    const output = [printed, ...notesOn(reply, leftRunning)].join('');
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

/** What there is to say besides what a script has printed, each on a line of its own. */
export function notesOn(reply: Exit, leftRunning: readonly number[]): string[] {
  const left = `It left running what could not be ended: ${leftRunning.join(', ')}.\n`;
  return [...(reply.ok ? [] : [`${reply.fault.detail}\n`]), ...(leftRunning.length === 0 ? [] : [left])];
}

const nameOfAction = { EXPORT_DOMAIN: 'exportDomain', SECURE_BACKUP: 'secureBackup' } as const;

/** The domain as scripts are told it. */
function domainOf({ domain, isAllDomains }: Pick<TaskSpec, 'domain' | 'isAllDomains'>): string {
  return domain === null || isAllDomains ? 'ALL' : domain;
}
