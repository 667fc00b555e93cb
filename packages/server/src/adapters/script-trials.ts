import { randomUUID } from 'node:crypto';
import type { ScriptKind } from '@stillpoint/contract';
import type { Fault } from '@stillpoint/core';
import { GIVEN_UP } from '@stillpoint/engine';
import type { ScriptFolder, ScriptTrial } from '../app/ports.ts';
import { runScript, scriptEnvironment } from './run-script.ts';
import {
  postPlanCall,
  postTaskCall,
  prePlanCall,
  preTaskCall,
  type ScriptCall,
  type TaskOfScript,
} from './script-call.ts';
import { GRACE_MS, markerOf, notesOn, type ScriptSurroundings } from './script-desk.ts';
import { findScript, listScripts } from './script-folder.ts';

/** Somebody waits for the answer. */
const LONGEST_MS = 60_000;

/** Lists the scripts of this node, and runs them with sample data. */
export class ScriptTrials implements ScriptFolder {
  readonly #surroundings: ScriptSurroundings;
  readonly #stopping = new AbortController();
  readonly #going = new Set<Promise<unknown>>();

  constructor(surroundings: ScriptSurroundings) {
    this.#surroundings = surroundings;
  }

  async list(): ReturnType<ScriptFolder['list']> {
    const { folder } = await this.#place();
    return { folder, files: await listScripts(folder) };
  }

  async problemOf(name: string): Promise<Fault | null> {
    const found = await findScript((await this.#place()).folder, name);
    return found.ok ? null : found.fault;
  }

  tryOut(name: string, kind: ScriptKind): Promise<ScriptTrial> {
    const trial = this.#tryOut(name, sampleCalls[kind]());
    const going = trial.catch(() => undefined).finally(() => this.#going.delete(going));
    this.#going.add(going);
    return trial;
  }

  /** Cuts off what is being tried out. */
  async stop(): Promise<void> {
    this.#stopping.abort(GIVEN_UP);
    await Promise.all(this.#going);
  }

  async #tryOut(name: string, call: ScriptCall): Promise<ScriptTrial> {
    const { mayBegin, nodeId } = this.#surroundings;
    const { folder, timeoutMs } = await this.#place();
    const marker = markerOf(nodeId, randomUUID());
    const { signal } = this.#stopping;
    const times = { timeoutMs: Math.min(timeoutMs, LONGEST_MS), graceMs: GRACE_MS };
    const startedAt = performance.now();
    const end = await runScript({ folder, name, ...call, marker, ...times, signal, mayBegin });
    return {
      folder,
      ...call,
      environment: Object.keys(scriptEnvironment(call.facts, marker)).toSorted(),
      reply: end.reply,
      durationMs: Math.round(performance.now() - startedAt),
      output: [end.output, ...notesOn(end.reply, end.leftRunning)].join(''),
    };
  }

  async #place(): Promise<{ folder: string; timeoutMs: number }> {
    const { parameters, defaultFolder } = this.#surroundings;
    const values = await parameters();
    return {
      folder: values['scripts.path'] ?? defaultFolder,
      timeoutMs: values['scripts.timeoutSeconds'] * 1000,
    };
  }
}

// What a script can tell a trial by: no plan and no task ever has these identifiers.
const planId = '00000000-0000-0000-0000-000000000001';
const runId = '00000000-0000-0000-0000-000000000002';
const taskId = '00000000-0000-0000-0000-000000000003';
const plan = { planId, planName: 'SAMPLE-PLAN', runId };

const task: TaskOfScript = {
  taskId,
  runId,
  planName: plan.planName,
  action: 'exportDomain',
  deviceName: 'SAMPLE-DEVICE',
  deviceHost: 'sample-device.invalid',
  somaPort: '5550',
  domain: 'SAMPLE-DOMAIN',
};

const succeeded = { statusCode: 'SUCCEEDED', message: null };

const sampleCalls: { readonly [Kind in ScriptKind]: () => ScriptCall } = {
  'pre-plan': () => prePlanCall(plan),
  'post-plan': () =>
    postPlanCall(plan, succeeded, [
      `${taskId},exportDomain,${task.deviceName},${task.domain},SUCCEEDED`,
      `00000000-0000-0000-0000-000000000004,secureBackup,${task.deviceName},ALL,SUCCEEDED`,
    ]),
  'pre-task': () => preTaskCall(task),
  'post-task': () => postTaskCall(task, succeeded),
};
