import type { Reply } from '../../reason.ts';
import { evolveTask } from '../evolve-task.ts';
import { nextTaskStep } from '../next-task-step.ts';
import {
  type DomainRow,
  isLook,
  type TaskEffect,
  type TaskEffectType,
  type TaskOutcomes,
} from '../task-effect.ts';
import type { TaskCommand, TaskFact, TaskSettled, TaskVerdict } from '../task-fact.ts';
import type { TaskSpec } from '../task-spec.ts';
import { isGuardNeeded, queuedTask, type TaskState } from '../task-state.ts';
import { oneFile, TASK_START } from './build-task.ts';

/** What an operator's cancel tells a task. */
export const operatorsCancel: Extract<TaskCommand, { type: 'cancel' }> = {
  type: 'cancel',
  status: 'CANCELLED',
  sparesStarted: false,
  reason: { code: 'EXECUTION_CANCELED_BY_OPERATOR', detail: 'An operator cancelled it.' },
};

/** Something that comes from outside at one effect. */
export type Interference = {
  /** `during`: between intent and outcome, when the effect has reached the device; `after`: once the outcome is recorded. */
  readonly when: 'before' | 'during' | 'after';
  readonly effect: TaskEffectType;
  /** Which effect of this type, counted from 0; the first when not given. */
  readonly index?: number;
  readonly fact: 'takenOver' | TaskCommand;
  /** How much further on the clock is of who takes over, or tells it. */
  readonly aheadMs?: number;
};

type Phase = DomainRow['quiesceState'];

/** How the world answers a task. */
export type TaskWorld = {
  /** The replies to each effect, one after the other; the last one stands. What is not given goes well. */
  readonly replies?: {
    readonly [Type in Exclude<TaskEffectType, 'look'>]?: readonly Reply<TaskOutcomes[Type]>[];
  };
  /** The device's domains before the task; `default`, A and B, saved and moving, when not given. */
  readonly rows?: readonly DomainRow[];
  readonly isGuardedByOther?: boolean;
  /** The numbers of the looks, counted from 0, that the device does not answer. */
  readonly blindLooks?: readonly number[];
  /** What a quiesce, or an unquiesce, that reached the device makes of what it was sent for. */
  readonly quiescesTo?: Phase;
  readonly unquiescesTo?: Phase;
  /** Whether a request whose reply was lost has reached the device; so it has when not given. */
  readonly isLostLanding?: boolean;
  readonly interference?: readonly Interference[];
  /** What a task is told that waits for its next attempt. */
  readonly toldAtRest?: TaskCommand;
  readonly startAt?: number;
};

/** What became of a task. */
export type TaskDrive = {
  /** What was asked for, in order; looks one after the other count as one. */
  readonly effects: readonly string[];
  /** The seconds after the start at which each effect of a type was asked for. */
  readonly secondsOf: (type: TaskEffectType) => readonly number[];
  readonly performed: readonly TaskEffect[];
  readonly verdict: TaskVerdict;
  readonly state: TaskState;
  readonly isGuardLeft: boolean;
  /** The domains that are not moving when the task has ended. */
  readonly leftQuiesced: readonly string[];
  readonly endedAt: number;
};

const goodReplies: { readonly [Type in Exclude<TaskEffectType, 'look'>]: Reply<TaskOutcomes[Type]> } = {
  admit: { ok: true, value: { stop: null } },
  checkStore: { ok: true, value: { freePercent: 50 } },
  inspectSecureBackup: {
    ok: true,
    value: { backupMode: 'secure', isCertificateUp: true, freeTemporaryMb: 4096 },
  },
  runPreScript: { ok: true, value: { exitCode: 0 } },
  quiesce: { ok: true, value: null },
  createSecureBackup: { ok: true, value: null },
  fetchSecureBackup: { ok: true, value: oneFile },
  fetchExport: { ok: true, value: oneFile },
  publishBackup: { ok: true, value: { takenAt: TASK_START, files: [] } },
  unquiesce: { ok: true, value: null },
  removeSecureBackup: { ok: true, value: null },
  discardBackup: { ok: true, value: null },
  runPostScript: { ok: true, value: { exitCode: 0 } },
};

/** A domain that is saved and moving, unless told otherwise. */
export function rowOf(domain: string, more: Partial<DomainRow> = {}): DomainRow {
  return { domain, isSaveNeeded: false, quiesceState: 'normal', ...more };
}

/** How a task ended, as one line: its status and the code of its reason. */
export function endOf({ verdict }: TaskDrive): string {
  return `${verdict.status} ${verdict.reason?.code ?? '-'}`;
}

/** The codes of the warnings of a task. */
export function warningsOf({ verdict }: TaskDrive): readonly string[] {
  return verdict.warnings.map(({ code }) => code);
}

/** Drives a task to its end as the engine does, with a clock that only waits move. Throws when it never ends. */
export function driveTask(spec: TaskSpec, world: TaskWorld = {}): TaskDrive {
  const drive = new Drive(spec, world);
  for (let turn = 0; turn < 2000; turn++) {
    const verdict = drive.takeStep();
    if (verdict !== null) return drive.reportOf(verdict);
  }
  throw new Error(`The task does not end; it asked for ${drive.performed.slice(-5).map(lineOf).join(', ')}.`);
}

class Drive {
  readonly performed: TaskEffect[] = [];
  readonly #world: TaskWorld;
  readonly #open: Interference[];
  readonly #askedAt: number[] = [];
  #rows: readonly DomainRow[];
  #state: TaskState;
  #now: number;

  constructor(spec: TaskSpec, world: TaskWorld) {
    this.#world = world;
    this.#open = [...(world.interference ?? [])];
    this.#rows = world.rows ?? [rowOf('default'), rowOf('A'), rowOf('B')];
    this.#state = queuedTask(spec);
    this.#now = world.startAt ?? TASK_START;
  }

  takeStep(): TaskVerdict | null {
    const step = nextTaskStep(this.#state, this.#now);
    switch (step.kind) {
      case 'finish':
        return step.verdict;
      case 'note':
        this.#tell({ type: 'noted', at: this.#now, note: step.note });
        return null;
      case 'wait':
        if (step.until <= this.#now) throw new Error('The task waits for what has passed.');
        this.#now = step.until;
        return null;
      case 'later': {
        this.#tell({ type: 'noted', at: this.#now, note: step.note, putOffMs: step.afterMs });
        const { toldAtRest } = this.#world;
        if (toldAtRest !== undefined) this.#tell({ type: 'told', at: this.#now, command: toldAtRest });
        if (nextTaskStep(this.#state, this.#now).kind !== 'finish') {
          this.#now += step.afterMs;
          this.#tell({ type: 'takenOver', at: this.#now });
        }
        return null;
      }
      case 'do':
        this.#perform(step.effect);
        return null;
    }
  }

  reportOf(verdict: TaskVerdict): TaskDrive {
    const { performed } = this;
    const lines = performed.map(lineOf);
    return {
      effects: lines.filter((line, index) => line !== 'look' || lines[index - 1] !== 'look'),
      secondsOf: (type) =>
        this.#askedAt
          .filter((_, index) => performed[index]?.type === type)
          .map((at) => (at - TASK_START) / 1000),
      performed,
      verdict,
      state: this.#state,
      isGuardLeft: isGuardNeeded(this.#state),
      leftQuiesced: this.#rows
        .filter(({ quiesceState }) => quiesceState !== 'normal')
        .map(({ domain }) => domain),
      endedAt: this.#now,
    };
  }

  #perform(effect: TaskEffect): void {
    const count = this.performed.filter(({ type }) => type === effect.type).length;
    if (this.#interfere('before', effect.type, count) !== null) return;
    if (!isLook(effect)) this.#tell({ type: 'intended', at: this.#now, effect });
    this.performed.push(effect);
    this.#askedAt.push(this.#now);
    const reply = this.#replyTo(effect, count);
    const isLanding = reply.ok || (reply.fault.effect === 'unknown' && (this.#world.isLostLanding ?? true));
    if (isLanding) this.#land(effect);
    if (this.#interfere('during', effect.type, count) === 'takenOver') return;
    this.#tell({ type: 'settled', at: this.#now, effect, reply } as TaskSettled);
    this.#interfere('after', effect.type, count);
  }

  #replyTo(effect: TaskEffect, count: number): Reply<unknown> {
    if (effect.type === 'look') {
      if (this.#world.blindLooks?.includes(count) === true) {
        const detail = 'The device did not answer.';
        return { ok: false, fault: { code: 'DEVICE_UNREACHABLE', effect: 'none', retryable: true, detail } };
      }
      const isGuardedByOther = this.#world.isGuardedByOther ?? false;
      return { ok: true, value: { rows: this.#rows, isGuardedByOther } };
    }
    const replies: readonly Reply<unknown>[] = this.#world.replies?.[effect.type] ?? [
      goodReplies[effect.type],
    ];
    return replies[Math.min(count, replies.length - 1)] ?? goodReplies[effect.type];
  }

  #land(effect: TaskEffect): void {
    if (effect.type !== 'quiesce' && effect.type !== 'unquiesce') return;
    const { quiescesTo = 'quiesced', unquiescesTo = 'normal' } = this.#world;
    const quiesceState = effect.type === 'quiesce' ? quiescesTo : unquiescesTo;
    const { scope } = effect;
    this.#rows = this.#rows.map((row) => {
      const isMeant = scope.kind === 'domain' ? row.domain === scope.domain : row.domain !== 'default';
      return isMeant ? { ...row, quiesceState } : row;
    });
  }

  #interfere(when: Interference['when'], effect: TaskEffectType, count: number): Interference['fact'] | null {
    const found = this.#open.findIndex(
      (one) => one.when === when && one.effect === effect && (one.index ?? 0) === count,
    );
    if (found === -1) return null;
    const [one] = this.#open.splice(found, 1);
    if (one === undefined) return null;
    const at = this.#now + (one.aheadMs ?? 0);
    if (one.fact !== 'takenOver') this.#tell({ type: 'told', at, command: one.fact });
    else {
      this.#now = at;
      this.#tell({ type: 'takenOver', at });
    }
    return one.fact;
  }

  #tell(fact: TaskFact): void {
    this.#state = evolveTask(this.#state, fact);
  }
}

function lineOf(effect: TaskEffect): string {
  switch (effect.type) {
    case 'quiesce':
    case 'unquiesce':
      return `${effect.type} ${effect.scope.kind === 'domain' ? effect.scope.domain : 'device'}`;
    case 'fetchExport':
      return `fetchExport ${effect.part.isPersisted ? 'persisted' : 'not persisted'}`;
    default:
      return effect.type;
  }
}
