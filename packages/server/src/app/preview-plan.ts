import type { PlanPreview } from '@stillpoint/contract';
import {
  checksOfParameters,
  checksOfStore,
  estimateDuration,
  type Parameters,
  type Plan,
  type RunCheck,
  type TaskDraft,
} from '@stillpoint/core';
import { expandOnFleet } from './expand-on-fleet.ts';
import { insecureWarning } from './insecure-warning.ts';
import type { EarlierBackup, PlanHistory } from './plan-history.ts';
import type { Clock, Definitions, Fleet, ScriptFolder, Store } from './ports.ts';
import { scriptsOf } from './script-warnings.ts';
import { windowFit } from './window-fit.ts';

/** What a preview reaches the world through; it only looks. */
export type PreviewPorts = {
  readonly definitions: Pick<Definitions, 'devices'>;
  readonly fleet: Pick<Fleet, 'readInventory'>;
  readonly store: Pick<Store, 'check'>;
  readonly scripts: Pick<ScriptFolder, 'problemOf'>;
  readonly planHistory: Pick<PlanHistory, 'earlierBackups'>;
  readonly now: Clock;
  readonly hostTimezone: string;
  readonly remedyOf: (code: string) => string;
};

/**
 * What a run of the plan would do if it began now: the tasks come from where those of a run come from, and so do the
 * answers of the checks; only whether a domain is API Connect's may be known from the last ten minutes. Nothing is written and nothing is changed.
 */
export async function previewPlan(
  plan: Plan,
  parameters: Parameters,
  ports: PreviewPorts,
): Promise<PlanPreview> {
  const { definitions, fleet, store, planHistory, now, hostTimezone } = ports;
  const at = now();
  const devices = await definitions.devices();
  const [drafts, stored, missingScripts] = await Promise.all([
    expandOnFleet(plan, devices, lookingBack(fleet), parameters['devices.parallel']),
    store.check(parameters),
    missingScriptsOf(plan, ports),
  ]);
  const checks = [
    ...checksOfParameters({ plan, windowOverrideReason: null }, parameters, hostTimezone, at),
    ...checksOfStore(stored, parameters['store.minFreePercent']),
  ].map((check) => checkShown(check, ports));
  const refused = checks.find(({ isPassed }) => !isPassed);
  const toDo = drafts.filter(({ skipped }) => skipped === null);
  const known = await planHistory.earlierBackups(toDo);
  const earlier = new Map(toDo.map((draft, index) => [draft, known[index] ?? null]));
  const durations = toDo.map((draft) => ({
    device: draft.device,
    durationMs: earlier.get(draft)?.durationMs ?? null,
  }));
  const durationMs = estimateDuration(durations, parameters['devices.parallel']);
  const matched = new Set(drafts.map(({ device }) => device));
  return {
    plan: plan.name,
    previewedAt: new Date(at).toISOString(),
    refusal: refused?.code ? { code: refused.code, sentence: refused.sentence } : null,
    checks,
    window: windowFit(plan, parameters, hostTimezone, at, durationMs),
    tasks: drafts.map((draft) => taskShown(draft, earlier.get(draft) ?? null)),
    estimate: {
      bytes: sumOf(known),
      tasksOfUnknownBytes: known.filter((one) => one === null).length,
      durationSeconds: durationMs === null ? null : durationMs / 1000,
      tasksOfUnknownDuration: durations.filter((one) => one.durationMs === null).length,
    },
    missingScripts,
    warnings: devices
      .filter(({ name, tls }) => tls.insecure === true && matched.has(name))
      .map(({ name }) => insecureWarning(name)),
  };
}

/** A preview that is asked for again and again does not ask each domain of a whole fleet each time. */
function lookingBack(fleet: PreviewPorts['fleet']): PreviewPorts['fleet'] {
  return {
    readInventory: (device, wants, signal) => fleet.readInventory(device, wants, signal, 'remembered'),
  };
}

function checkShown(
  { name, row, refusal, found }: RunCheck,
  { remedyOf }: Pick<PreviewPorts, 'remedyOf'>,
): PlanPreview['checks'][number] {
  const code = refusal?.reason.code ?? null;
  const sentence = code === null ? found : `${found} ${remedyOf(code)}`.trim();
  return { name, row, isPassed: refusal === null, code, sentence };
}

function taskShown(
  { action, device, domain, skipped }: TaskDraft,
  earlier: EarlierBackup | null,
): PlanPreview['tasks'][number] {
  const durationMs = earlier?.durationMs ?? null;
  return {
    action,
    device,
    domain,
    status: skipped === null ? 'WAITING' : 'SKIPPED',
    reasonCode: skipped?.code ?? null,
    sentence: skipped?.detail ?? null,
    estimatedBytes: earlier?.sizeBytes ?? null,
    estimatedSeconds: durationMs === null ? null : durationMs / 1000,
  };
}

function sumOf(earlier: readonly (EarlierBackup | null)[]): number | null {
  const known = earlier.filter((one) => one !== null);
  return known.length === 0 ? null : known.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
}

/** Every script that the plan names and that this node could not run, once. */
async function missingScriptsOf(
  plan: Plan,
  { scripts, remedyOf }: Pick<PreviewPorts, 'scripts' | 'remedyOf'>,
): Promise<PlanPreview['missingScripts']> {
  const names = scriptsOf(plan);
  const problems = await Promise.all(names.map((name) => scripts.problemOf(name)));
  return problems.flatMap((problem, index) => {
    if (problem === null) return [];
    const sentence = `${problem.detail} ${remedyOf(problem.code)}`.trim();
    return [{ name: names[index] ?? '', code: problem.code, sentence }];
  });
}
