import { hash } from 'node:crypto';
import type { Fault, Reply } from '../../reason.ts';
import type { TaskStep } from '../next-task-step.ts';
import { type DomainRow, isLook, type TaskEffect } from '../task-effect.ts';
import type { TaskFact, TaskSettled } from '../task-fact.ts';
import type { TaskSpec } from '../task-spec.ts';
import { isGuardNeeded, isUndoing, queuedTask, type TaskState } from '../task-state.ts';

/** The two functions under test, so that a fault can be planted in either. */
export type TaskProgram = {
  readonly evolve: (state: TaskState, fact: TaskFact) => TaskState;
  readonly next: (state: TaskState, now: number) => TaskStep;
};

/** A request of ours that has left us and has not reached the device yet; it lands before `landsBefore` or never. */
type Flight = { readonly kind: 'quiesce' | 'unquiesce'; readonly landsBefore: number };

/** The device, the store and what has happened so far: everything that the task does not control. */
type World = {
  readonly phase: 'normal' | 'quiescing' | 'quiesced' | 'unquiescing';
  readonly quiescedBy: 'nobody' | 'us' | 'other';
  readonly flights: readonly Flight[];
  readonly store: 'empty' | 'incoming' | 'published';
  readonly isRemoteLeft: boolean;
  readonly crashesLeft: number;
  readonly isTold: boolean;
  readonly isWindowClosed: boolean;
  readonly hasRebooted: boolean;
  /** Nobody drives the task: it was put off. */
  readonly isAtRest: boolean;
};

type Node = { readonly state: TaskState; readonly world: World; readonly now: number };

/** What the walk found. `violation` names the invariant and the way there; null when everything held. */
export type WalkReport = {
  readonly states: number;
  readonly ends: number;
  readonly violation: string | null;
};

const START = 1_000_000_000_000;
const HOUR_MS = 3_600_000;
const closedWindow = { timeframes: [], blackoutDays: [], timezone: 'UTC' };

const noFault = (code: string): Fault => ({ code, effect: 'none', retryable: true, detail: code });
const lost: Fault = { code: 'REPLY_LOST', effect: 'unknown', retryable: true, detail: 'REPLY_LOST' };

class Violation extends Error {}

/**
 * Visits every reachable combination of task, device, store and clock, with every outcome at every effect:
 * accepted, refused, reply lost before or after it landed, landing late, crash before and after; with a cancel and
 * the close of the window at every point, and up to `mostCrashes` crashes. Ends at the first broken invariant.
 */
export function walkTask(program: TaskProgram, spec: TaskSpec, mostCrashes: number): WalkReport {
  const seen = new Map<string, 'open' | 'closed'>();
  let ends = 0;
  const world: World = {
    phase: 'normal',
    quiescedBy: 'nobody',
    flights: [],
    store: 'empty',
    isRemoteLeft: false,
    crashesLeft: mostCrashes,
    isTold: false,
    isWindowClosed: false,
    hasRebooted: false,
    isAtRest: false,
  };
  const roots: Node[] = [
    { state: queuedTask(spec), world, now: START },
    { state: queuedTask(spec), world: { ...world, phase: 'quiesced', quiescedBy: 'other' }, now: START },
  ];
  // Depth first with an explicit stack: an open node met again is a circle, that is a task that never ends.
  const stack: { key: string; node: Node; children: Node[] | null }[] = [];
  const push = (node: Node): void => {
    const key = keyOf(node);
    const mark = seen.get(key);
    if (mark === 'open') throw new Violation('I9: the task can go round for ever');
    if (mark !== undefined) return;
    seen.set(key, 'open');
    stack.push({ key, node, children: null });
  };
  try {
    for (const root of roots) {
      push(root);
      while (stack.length > 0) {
        const top = stack[stack.length - 1] as (typeof stack)[number];
        if (top.children === null) {
          const step = program.next(top.node.state, top.node.now);
          checkAlways(top.node);
          if (step.kind === 'finish') ends += 1;
          top.children = childrenOf(program, top.node, step);
        }
        const child = top.children.pop();
        if (child !== undefined) push(child);
        else {
          seen.set(top.key, 'closed');
          stack.pop();
        }
      }
    }
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
    const way = stack.map(({ node }) => describeNode(node)).filter((line, i, all) => line !== all[i - 1]);
    return { states: seen.size, ends, violation: `${error.message}\n${way.join('\n')}` };
  }
  return { states: seen.size, ends, violation: null };
}

function childrenOf(program: TaskProgram, node: Node, step: TaskStep): Node[] {
  const outside = outsideEvents(program, node);
  if (node.world.isAtRest && step.kind !== 'finish') return [...outside, ...driven(program, node)];
  switch (step.kind) {
    case 'finish':
      checkEnd(node, step);
      return [];
    case 'later':
      return [...outside, putOff(program, node, step)];
    case 'wait':
      return [...outside, passTime(node, step.until)];
    case 'note':
      checkNote(node, step);
      return [...outside, tell(program, node, { type: 'noted', at: node.now, note: step.note })];
    case 'do':
      return [...outside, ...outcomesOf(program, node, step.effect)];
  }
}

/** Nobody holds the task from here on; who would drive it again is another node, or the same one much later. */
function putOff(
  program: TaskProgram,
  node: Node,
  { note, afterMs }: Extract<TaskStep, { kind: 'later' }>,
): Node {
  const resting = tell(program, node, { type: 'noted', at: node.now, note, putOffMs: afterMs });
  return { ...resting, world: { ...resting.world, isAtRest: true } };
}

/** Its time has come, or it was cut short. A cancel reaches what rests at once, so nothing that was told is driven again. */
function driven(program: TaskProgram, node: Node): Node[] {
  if (node.world.isTold) throw new Violation('I8: a cancel did not end a task that was put off');
  const begun = { ...node, world: { ...node.world, isAtRest: false } };
  return [tell(program, begun, { type: 'takenOver', at: node.now })];
}

/** What may happen at any time without the task: a cancel, the window, the device on its way, a reboot, a late landing. */
function outsideEvents(program: TaskProgram, node: Node): Node[] {
  const { world, state, now } = node;
  const events: Node[] = [];
  if (!world.isTold && (state.failure === null || state.spec.retry.attempts > 0)) {
    const told: Node = { ...node, world: { ...world, isTold: true } };
    const reason = { code: 'EXECUTION_CANCELED_BY_OPERATOR', detail: '' };
    events.push(
      tell(program, told, {
        type: 'told',
        // By the clock of another node.
        at: now - HOUR_MS,
        command: { type: 'cancel', status: 'CANCELLED', sparesStarted: false, reason },
      }),
    );
  }
  if (!world.isWindowClosed) {
    const closed = { ...state, spec: { ...state.spec, window: closedWindow } };
    events.push({ ...node, state: closed, world: { ...world, isWindowClosed: true } });
  }
  if (world.phase === 'quiescing') events.push({ ...node, world: { ...world, phase: 'quiesced' } });
  if (world.phase === 'unquiescing') {
    events.push({ ...node, world: { ...world, phase: 'normal', quiescedBy: 'nobody' } });
  }
  if (!world.hasRebooted && world.quiescedBy === 'us') {
    events.push({ ...node, world: { ...world, phase: 'normal', quiescedBy: 'nobody', hasRebooted: true } });
  }
  world.flights.forEach((flight, index) => {
    const flights = world.flights.filter((_, i) => i !== index);
    events.push({ ...node, world: land({ ...world, flights }, flight.kind) });
  });
  return events;
}

/** A flight that has not landed in time never will: the waiting ends at the instant before which all of them land. */
function passTime(node: Node, until: number): Node {
  const now = Math.max(until, node.now + 1);
  const late = node.world.flights.filter(({ landsBefore }) => landsBefore > now);
  return { ...node, now, world: { ...node.world, flights: late } };
}

function land(world: World, kind: Flight['kind']): World {
  if (kind === 'quiesce') {
    return world.phase === 'normal' || world.phase === 'unquiescing'
      ? { ...world, phase: 'quiescing', quiescedBy: 'us' }
      : world;
  }
  if (world.quiescedBy === 'other') throw new Violation('I3: what somebody else quiesced was unquiesced');
  return world.phase === 'normal' ? world : { ...world, phase: 'unquiescing' };
}

function outcomesOf(program: TaskProgram, node: Node, effect: TaskEffect): Node[] {
  if (isLook(effect)) return looksOf(program, node, effect);
  const { now } = node;
  const intended = tell(program, node, { type: 'intended', at: now, effect });
  checkAlways(intended);
  const settle = (from: Node, reply: Reply<unknown>): Node =>
    tell(program, from, { type: 'settled', at: now, effect, reply } as TaskSettled);
  const done = { ...intended, world: act(intended.world, effect) };
  const nodes = [
    settle(done, { ok: true, value: valueFrom(effect) }),
    settle(intended, { ok: false, fault: noFault('REFUSED') }),
    settle(done, { ok: false, fault: lost }),
    settle(intended, { ok: false, fault: lost }),
    ...crashesOf(program, intended),
    ...crashesOf(program, done),
  ];
  if (effect.type === 'quiesce' || effect.type === 'unquiesce') {
    const flight = { kind: effect.type, landsBefore: now + node.state.spec.limits.settleMs };
    const flying = {
      ...intended,
      world: { ...intended.world, flights: [...intended.world.flights, flight] },
    };
    nodes.push(settle(flying, { ok: false, fault: lost }), ...crashesOf(program, flying));
  }
  return nodes;
}

function looksOf(program: TaskProgram, node: Node, effect: TaskEffect): Node[] {
  const settle = (reply: Reply<unknown>): Node =>
    tell(program, node, { type: 'settled', at: node.now, effect, reply } as TaskSettled);
  const nodes = [settle({ ok: true, value: lookValue(node, effect) })];
  if (effect.type !== 'admit') nodes.push(settle({ ok: false, fault: noFault('UNREACHABLE') }));
  if (node.state.isStarted) nodes.push(...crashesOf(program, node));
  return nodes;
}

/**
 * The node dies and another takes over: by the same clock, by one that is ahead by what is waited for a lost request, or
 * by one that is far behind; or so late that the guard was worked off and the device quiesced by somebody else by then.
 */
function crashesOf(program: TaskProgram, { state, world, now }: Node): Node[] {
  if (world.crashesLeft === 0) return [];
  const { settleMs } = state.spec.limits;
  const crashed: Node = { state, world: { ...world, crashesLeft: world.crashesLeft - 1 }, now };
  const late = isGuardNeeded(state) ? [workedOff(program, crashed)] : [];
  return [crashed, withClock(crashed, settleMs), withClock(crashed, -HOUR_MS), ...late].map((node) =>
    tell(program, node, { type: 'takenOver', at: node.now }),
  );
}

/** The same moment by a clock that is ahead by so much. */
function withClock(node: Node, aheadMs: number): Node {
  const flights = node.world.flights.map((flight) => ({
    ...flight,
    landsBefore: flight.landsBefore + aheadMs,
  }));
  return { ...node, world: { ...node.world, flights }, now: node.now + aheadMs };
}

/** The reconciler has waited until nothing could land any more, seen the device moving and said so; then an admin comes. */
function workedOff(program: TaskProgram, { state, world, now }: Node): Node {
  const told = tell(program, { state, world, now }, { type: 'told', at: now, command: { type: 'released' } });
  return { ...told, world: { ...world, flights: [], phase: 'quiesced', quiescedBy: 'other' } };
}

function lookValue({ world }: Node, effect: TaskEffect): unknown {
  if (effect.type === 'admit') return { stop: null };
  if (effect.type === 'checkStore') return { freePercent: 50 };
  if (effect.type === 'inspectSecureBackup') {
    return { backupMode: 'secure', isCertificateUp: true, freeTemporaryMb: 4096 };
  }
  const other: DomainRow = { domain: 'default', isSaveNeeded: false, quiesceState: 'normal' };
  return {
    rows: [other, { domain: 'A', isSaveNeeded: true, quiesceState: world.phase }],
    isGuardedByOther: false,
  };
}

function act(world: World, effect: TaskEffect): World {
  switch (effect.type) {
    case 'quiesce':
    case 'unquiesce':
      return land(world, effect.type);
    case 'createSecureBackup':
      return { ...world, isRemoteLeft: true };
    case 'removeSecureBackup':
      return { ...world, isRemoteLeft: false };
    case 'fetchExport':
    case 'fetchSecureBackup':
      return { ...world, store: 'incoming' };
    case 'publishBackup':
      return { ...world, store: 'published' };
    case 'discardBackup':
      return { ...world, store: 'empty' };
    default:
      return world;
  }
}

function valueFrom(effect: TaskEffect): unknown {
  if (effect.type === 'runPreScript' || effect.type === 'runPostScript') return { exitCode: 0 };
  return null;
}

function tell(program: TaskProgram, node: Node, fact: TaskFact): Node {
  return { ...node, state: program.evolve(node.state, fact) };
}

/** I1: quiesced by us, or about to be, only while the task's own record asks for the guard. */
function checkAlways({ state, world }: Node): void {
  const isHeld = world.quiescedBy === 'us' || world.flights.some(({ kind }) => kind === 'quiesce');
  if (isHeld && !isGuardNeeded(state)) throw new Violation('I1: quiesced by us without a record');
}

/** I8: nothing starts after a cancel or outside the window. */
function checkNote({ world }: Node, step: Extract<TaskStep, { kind: 'note' }>): void {
  if (step.note.type !== 'started') return;
  if (world.isTold || world.isWindowClosed)
    throw new Violation('I8: a task started after a cancel or outside the window');
}

function checkEnd({ state, world, now }: Node, { verdict }: Extract<TaskStep, { kind: 'finish' }>): void {
  const isLeftToReconciler = state.undo.gaveUp;
  if (isGuardNeeded(state) && !isLeftToReconciler)
    throw new Violation('I2: ended with its own quiesce not undone');
  if (!isLeftToReconciler && world.flights.some(({ landsBefore }) => landsBefore > now)) {
    throw new Violation('I3: ended while a request of ours could still land on somebody else');
  }
  if (verdict.status === 'SUCCEEDED' && world.store !== 'published') {
    throw new Violation('I13: succeeded without a published backup');
  }
  const hasWarned = verdict.warnings.length > 0;
  if (verdict.status !== 'SUCCEEDED' && state.publish !== 'done' && world.store !== 'empty' && !hasWarned) {
    throw new Violation('I4: something of a failed backup was left in the store');
  }
  if (world.isRemoteLeft && !hasWarned) throw new Violation('a secure backup was left on the device');
}

/**
 * Two nodes are the same when nothing that can still matter tells them apart: not when they happen, not which reason
 * they name, not an instant that has passed or that only the other half of the saga asks for.
 */
function keyOf({ state, world, now }: Node): string {
  const { spec, failure, lastFailure, storeLitter, deviceLitter, stop, warnings, quiesce, undo, ...rest } =
    state;
  const ahead = (at: number): number => Math.max(at - now, 0);
  const text = JSON.stringify([
    rest,
    {
      ...quiesce,
      askedAt: isUndoing(state) ? 0 : quiesce.askedAt - now,
      settlesAt: ahead(quiesce.settlesAt),
      nextLookAt: ahead(quiesce.nextLookAt),
    },
    {
      ...undo,
      since: undo.since === null ? 'not begun' : undo.isAccepted ? 0 : undo.since - now,
      acceptedAt: undo.isAccepted ? undo.acceptedAt - now : 0,
      nextAttemptAt: ahead(undo.nextAttemptAt),
      settlesAt: undo.settlesAt === 0 ? -1 : ahead(undo.settlesAt),
      attempts: Math.min(undo.attempts, 3),
    },
    [failure === null ? null : [failure.status, failure.isCurable], lastFailure === null, stop === null],
    [warnings.length === 0, storeLitter === null, deviceLitter === null, spec.window === null],
    { ...world, flights: world.flights.map(({ kind, landsBefore }) => [kind, landsBefore - now]).sort() },
  ]);
  return hash('sha1', text, 'base64');
}

function describeNode({ state, world, now }: Node): string {
  const { quiesce, undo } = state;
  return [
    `+${now - START} ms`,
    `device ${world.phase} by ${world.quiescedBy}`,
    `pending ${state.pending?.type ?? '-'}`,
    `seen ${quiesce.seen}${quiesce.isOurs ? ' ours' : ''}${quiesce.isReleased ? ' released' : ''}`,
    `undo ${undo.attempts}${undo.isAccepted ? ' accepted' : ''}${undo.gaveUp ? ' gave up' : ''}`,
    `store ${world.store}`,
    `failure ${state.failure?.reason.code ?? '-'}`,
  ].join(' | ');
}
