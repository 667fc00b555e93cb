import { parametersInForce } from '../../parameters/parameters.ts';
import type { Reply } from '../../reason.ts';
import { evolveRun } from '../evolve-run.ts';
import { nextRunStep } from '../next-run-step.ts';
import { isRunLook, type RunEffect, type RunEffectType, type RunOutcomes } from '../run-effect.ts';
import type { RunFact, RunSettled, RunVerdict } from '../run-fact.ts';
import type { RunSpec } from '../run-spec.ts';
import { queuedRun, type RunState } from '../run-state.ts';
import { countsOf, RUN_START } from './build-run.ts';

/** The reason that an operator's cancel carries. */
const operatorsCancel = {
  code: 'EXECUTION_CANCELED_BY_OPERATOR',
  detail: 'An operator cancelled it.',
};

/** Something that comes from outside, at the first time that an effect is wanted. */
export type Interference = {
  /** `during`: between intent and outcome; `after`: when the outcome is recorded. */
  readonly when: 'before' | 'during' | 'after';
  readonly effect: RunEffectType;
  readonly fact: 'takenOver' | 'told';
};

/** How the world answers a run. */
export type RunWorld = {
  /** The replies to each effect, one after the other; the last one stands. What is not given goes well. */
  readonly replies?: { readonly [Type in RunEffectType]?: readonly Reply<RunOutcomes[Type]>[] };
  readonly interference?: readonly Interference[];
  /** How long each effect takes, in milliseconds; 0 when not given. */
  readonly durationsMs?: { readonly [Type in RunEffectType]?: number };
  readonly startAt?: number;
};

/** What became of a run. */
export type RunDrive = {
  /** What was asked for, in order; a cancel with its reason. */
  readonly effects: readonly string[];
  readonly performed: readonly RunEffect[];
  readonly verdict: RunVerdict;
  readonly state: RunState;
  readonly endedAt: number;
};

const goodReplies: { readonly [Type in RunEffectType]: Reply<RunOutcomes[Type]> } = {
  lookForEarlierRuns: { ok: true, value: { areOver: true } },
  readParameters: { ok: true, value: { parameters: parametersInForce({}), hostTimezone: 'UTC' } },
  checkStore: { ok: true, value: { freePercent: 50 } },
  expandPlan: { ok: true, value: { counts: countsOf({ waiting: 2 }) } },
  runPreScript: { ok: true, value: { exitCode: 0 } },
  queueTasks: { ok: true, value: null },
  countTasks: { ok: true, value: { counts: countsOf({ succeeded: 2 }), isHalted: false } },
  cancelTasks: { ok: true, value: null },
  runPostScript: { ok: true, value: { exitCode: 0 } },
};

/** How a run ended, as one line: its status and the code of its reason. */
export function endOf({ verdict }: RunDrive): string {
  return `${verdict.status} ${verdict.reason?.code ?? '-'}`;
}

/** The codes of the warnings of a run. */
export function warningsOf({ verdict }: RunDrive): readonly string[] {
  return verdict.warnings.map(({ code }) => code);
}

/** Drives a run to its end as the engine does, with a clock that only waits and effects move. Throws when it never ends. */
export function driveRun(spec: RunSpec, world: RunWorld = {}): RunDrive {
  const performed: RunEffect[] = [];
  const open = [...(world.interference ?? [])];
  let now = world.startAt ?? RUN_START;
  let state = queuedRun(spec);
  const tell = (fact: RunFact): void => {
    state = evolveRun(state, fact);
  };
  const interfere = (when: Interference['when'], effect: RunEffectType): Interference['fact'] | null => {
    const index = open.findIndex((one) => one.when === when && one.effect === effect);
    if (index === -1) return null;
    const [{ fact } = { fact: 'told' as const }] = open.splice(index, 1);
    tell(
      fact === 'told'
        ? { type: 'told', at: now, command: { type: 'cancel', reason: operatorsCancel } }
        : { type: 'takenOver', at: now },
    );
    return fact;
  };
  for (let turn = 0; turn < 500; turn++) {
    const step = nextRunStep(state, now);
    if (step.kind === 'finish') {
      return { effects: performed.map(lineOf), performed, verdict: step.verdict, state, endedAt: now };
    }
    if (step.kind === 'note') tell({ type: 'noted', at: now, note: step.note });
    if (step.kind === 'wait') now = step.until;
    if (step.kind !== 'do') continue;
    const { effect } = step;
    if (interfere('before', effect.type) !== null) continue;
    if (!isRunLook(effect)) tell({ type: 'intended', at: now, effect });
    const replies: readonly Reply<unknown>[] = world.replies?.[effect.type] ?? [goodReplies[effect.type]];
    const count = performed.filter(({ type }) => type === effect.type).length;
    performed.push(effect);
    if (interfere('during', effect.type) === 'takenOver') continue;
    now += world.durationsMs?.[effect.type] ?? 0;
    const reply = replies[Math.min(count, replies.length - 1)];
    tell({ type: 'settled', at: now, effect, reply } as RunSettled);
    interfere('after', effect.type);
  }
  throw new Error(`The run does not end; it asked for ${performed.slice(-5).map(lineOf).join(', ')}.`);
}

function lineOf(effect: RunEffect): string {
  return effect.type === 'cancelTasks' ? `cancelTasks ${effect.reason.code}` : effect.type;
}
