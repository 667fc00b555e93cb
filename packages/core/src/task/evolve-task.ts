import { type Fault, type Reason, type Reply, reasonOf } from '../reason.ts';
import { anotherAttempt, endOfWaiting } from './attempts.ts';
import { backOffMs, LONGEST_BACK_OFF_MS } from './back-off.ts';
import { isCurable } from './is-curable.ts';
import { rowsInScope } from './rows-in-scope.ts';
import type { DomainRow, FetchedBackup, TaskEffect, TaskEffectType } from './task-effect.ts';
import type { TaskCommand, TaskFact, TaskNote, TaskSettled } from './task-fact.ts';
import { DEFAULT_DOMAIN, quiesceScopeOf } from './task-spec.ts';
import { isGuardNeeded, isUndoing, type SeenPhase, type TaskFailure, type TaskState } from './task-state.ts';

/**
 * What is known of a task after one more fact. Waits begin with facts of who drives the task, whose clock neither goes
 * back nor jumps, and anew with `takenOver`; what is told carries the clock of whoever tells it, so no wait begins with that.
 */
export function evolveTask(state: TaskState, fact: TaskFact): TaskState {
  const next = evolve(state, fact);
  return fact.type === 'told' ? next : withUndoBegun(next, fact.at);
}

function evolve(state: TaskState, fact: TaskFact): TaskState {
  switch (fact.type) {
    case 'intended':
      return intended({ ...state, pending: fact.effect }, fact.effect, fact.at);
    case 'settled':
      return settled({ ...state, pending: null, isScriptGivenUp: false }, fact);
    case 'takenOver':
      return takenOver(state, fact.at);
    case 'noted':
      return noted(state, fact.note);
    case 'told':
      return told(state, fact.command);
    case 'ended':
      return { ...state, verdict: fact.verdict };
  }
}

/** What is published stays, and what is being published is let come to its end; a script that is going on is not. */
function told(state: TaskState, command: TaskCommand): TaskState {
  if (command.type === 'released') return released(state);
  const { sparesStarted, reason, status } = command;
  // A server that stops puts an end to an attempt that it works on; the run may well go on.
  if (status === 'FAILED' && state.isPutOff) return state;
  const known = status === 'CANCELLED' ? { ...state, stop: state.stop ?? reason } : state;
  if (sparesStarted && state.isStarted) return known;
  const isScriptGivenUp = state.preScript === 'pending' || state.postScript === 'pending';
  const next = { ...known, isScriptGivenUp };
  if (sparesStarted) return notStarted(next, reason);
  return state.publish === 'none' ? failed(next, reason, status) : next;
}

/** It ends without being started, for this attempt or at all. */
function notStarted(state: TaskState, reason: Reason): TaskState {
  const end = endOfWaiting(state, reason);
  return failed(state, end.reason, end.status, false);
}

/** What is quiesced from now on is somebody else's, and what is fetched from now on was not taken quiesced. */
function released(state: TaskState): TaskState {
  if (!isGuardNeeded(state)) return state;
  const next = { ...state, quiesce: { ...state.quiesce, isReleased: true } };
  if (state.publish !== 'none') return next;
  const detail = `${state.spec.device} was set moving again before its backup was published.`;
  return failed(next, reasonOf('INTERRUPTED', detail));
}

/** Undoing begins with the fact that ended the way forward. */
function withUndoBegun(state: TaskState, at: number): TaskState {
  const isOver = state.failure !== null || state.publish === 'done';
  if (!isOver || !state.quiesce.isOurs || state.undo.since !== null) return state;
  return { ...state, undo: { ...state.undo, since: at } };
}

function failed(
  state: TaskState,
  cause: Reason | Fault,
  status: TaskFailure['status'] = 'FAILED',
  mayPass: boolean = isCurable(cause),
): TaskState {
  if (state.failure !== null) return state;
  return { ...state, failure: { status, reason: reasonFrom(cause), isCurable: mayPass } };
}

const reasonFrom = ({ code, detail }: Reason | Fault): Reason => ({ code, detail });

function warned(state: TaskState, reason: Reason): TaskState {
  return { ...state, warnings: [...state.warnings, reason] };
}

/** From its intent on, an effect may have happened. */
function intended(state: TaskState, effect: TaskEffect, at: number): TaskState {
  const { quiesce, spec } = state;
  switch (effect.type) {
    case 'quiesce':
      return {
        ...state,
        quiesce: {
          ...quiesce,
          isOurs: true,
          askedAt: at,
          settlesAt: at + spec.limits.settleMs,
          seen: 'unseen',
          nextLookAt: 0,
        },
      };
    case 'unquiesce':
      return { ...state, undo: { ...state.undo, attempts: state.undo.attempts + 1, isAccepted: false } };
    case 'runPreScript':
      return { ...state, preScript: 'pending' };
    case 'createSecureBackup':
      return { ...state, remote: 'pending' };
    case 'fetchSecureBackup':
    case 'fetchExport':
      return { ...state, fetch: 'pending' };
    case 'publishBackup':
      return { ...state, publish: 'pending' };
    case 'removeSecureBackup':
      return { ...state, remoteRemoval: 'pending' };
    case 'discardBackup':
      return { ...state, discard: 'pending' };
    case 'runPostScript':
      return { ...state, postScript: 'pending' };
    default:
      return state;
  }
}

type Settle<Type extends TaskEffectType> = (
  state: TaskState,
  fact: Extract<TaskSettled, { effect: { type: Type } }>,
) => TaskState;

const settle: { readonly [Type in TaskEffectType]: Settle<Type> } = {
  admit: (state, { reply }) => {
    if (!reply.ok) return failed({ ...state, stop: state.stop ?? reasonFrom(reply.fault) }, reply.fault);
    const { stop } = reply.value;
    if (stop !== null) return notStarted({ ...state, stop }, stop);
    return state.failure === null ? { ...state, isAdmitted: true } : { ...state, isWantedAgain: true };
  },
  checkStore: (state, { reply }) => {
    if (!reply.ok) return failed(state, reply.fault);
    const { minFreeStorePercent } = state.spec.limits;
    if (reply.value.freePercent >= minFreeStorePercent) return { ...state, isStoreChecked: true };
    const detail = `The store has ${reply.value.freePercent.toFixed(1)} % free, less than the ${minFreeStorePercent} % asked for.`;
    return failed(state, reasonOf('NOT_ENOUGH_FREE_SPACE_IN_STORE', detail));
  },
  look: (state, fact) => (state.isFirstLookDone ? lookedAgain(state, fact) : lookedFirst(state, fact)),
  inspectSecureBackup: (state, { reply }) => {
    if (!reply.ok) return failed(state, reply.fault);
    const refusal = secureBackupRefusal(state, reply.value);
    return refusal === null ? { ...state, isSecureBackupInspected: true } : failed(state, refusal);
  },
  runPreScript: (state, { reply }) => {
    const failedScript = { ...state, preScript: 'failed' as const };
    if (!reply.ok) {
      return failed(failedScript, { ...reply.fault, code: 'TASK_FAILED_PRE_SCRIPT' });
    }
    if (reply.value.exitCode === 0) return { ...state, preScript: 'done' };
    const detail = `The script ${state.spec.preTaskScript} ended with exit code ${reply.value.exitCode}.`;
    return failed(failedScript, reasonOf('TASK_FAILED_PRE_SCRIPT', detail));
  },
  quiesce: (state, { at, reply }) => {
    const { quiesce, spec } = state;
    if (reply.ok) return { ...state, quiesce: { ...quiesce, isAccepted: true } };
    if (reply.fault.effect === 'none')
      return failed({ ...state, quiesce: { ...quiesce, isOurs: false } }, reply.fault);
    const settlesAt = at + spec.limits.settleMs;
    return failed({ ...state, quiesce: { ...quiesce, isLookDue: true, settlesAt } }, reply.fault);
  },
  createSecureBackup: (state, { reply }) =>
    reply.ok ? { ...state, remote: 'done' } : failed({ ...state, remote: 'failed' }, reply.fault),
  fetchSecureBackup: (state, { reply }) => fetched(state, reply),
  fetchExport: (state, { reply }) => fetched(state, reply),
  publishBackup: (state, { reply }) =>
    reply.ok ? { ...state, publish: 'done' } : failed({ ...state, publish: 'failed' }, reply.fault),
  unquiesce: (state, { at, reply }) => {
    const { quiesce, undo, spec } = state;
    const looked = { ...quiesce, isLookDue: true, nextLookAt: 0 };
    if (reply.ok) {
      // One that shows no effect is sent again, which must not put the time-out off.
      const acceptedAt = undo.acceptedAt === 0 ? at : undo.acceptedAt;
      const nextAttemptAt = at + LONGEST_BACK_OFF_MS;
      return { ...state, quiesce: looked, undo: { ...undo, isAccepted: true, acceptedAt, nextAttemptAt } };
    }
    const tried = { ...undo, nextAttemptAt: at + backOffMs(undo.attempts) };
    if (reply.fault.effect === 'none') return { ...state, undo: tried };
    return { ...state, quiesce: looked, undo: { ...tried, settlesAt: at + spec.limits.settleMs } };
  },
  removeSecureBackup: (state, { reply }) => cleanedUp(state, 'remoteRemoval', reply.ok ? null : reply.fault),
  discardBackup: (state, { reply }) => cleanedUp(state, 'discard', reply.ok ? null : reply.fault),
  runPostScript: (state, { reply }) => {
    if (reply.ok && reply.value.exitCode === 0) return { ...state, postScript: 'done' };
    const detail = reply.ok ? `It ended with exit code ${reply.value.exitCode}.` : reply.fault.detail;
    const reason = reasonOf(
      'POST_SCRIPT_FAILED',
      `The script ${state.spec.postTaskScript?.script} failed: ${detail}`,
    );
    return warned({ ...state, postScript: 'failed' }, reason);
  },
};

function settled(state: TaskState, fact: TaskSettled): TaskState {
  const settleOne = settle[fact.effect.type] as Settle<TaskEffectType>;
  return settleOne(state, fact);
}

/**
 * Nothing is repeated blind: an effect that was begun and not settled may have happened, and is now to be looked at. All
 * waits begin anew, for the clock by which they were told may have been another node's.
 */
function takenOver(state: TaskState, at: number): TaskState {
  const { pending, quiesce, undo, spec } = state;
  if (!state.isStarted) return { ...state, pending: null, isPutOff: false };
  const settlesAt = at + spec.limits.settleMs;
  const next: TaskState = {
    ...state,
    pending: null,
    isScriptGivenUp: false,
    publish: state.publish === 'pending' ? 'failed' : state.publish,
    remoteRemoval: state.remoteRemoval === 'pending' ? 'none' : state.remoteRemoval,
    discard: state.discard === 'pending' ? 'none' : state.discard,
    quiesce: {
      ...quiesce,
      isLookDue: quiesce.isOurs,
      nextLookAt: 0,
      settlesAt: quiesce.settlesAt === 0 ? 0 : settlesAt,
    },
    undo: {
      ...undo,
      // The time that an undo may take counts for who undoes, not for the time in which nobody did.
      since: undo.since === null ? null : at,
      acceptedAt: undo.acceptedAt === 0 ? 0 : at,
      nextAttemptAt: undo.isAccepted ? at + LONGEST_BACK_OFF_MS : at,
      settlesAt: pending?.type !== 'unquiesce' && undo.settlesAt === 0 ? 0 : settlesAt,
    },
  };
  if (pending?.type === 'runPostScript') {
    return warned(
      { ...next, postScript: 'failed' },
      reasonOf('INTERRUPTED', 'The post-task script was cut off.'),
    );
  }
  if (next.publish === 'done') return next;
  return failed(next, reasonOf('INTERRUPTED', interruptionOf(state)));
}

function interruptionOf({ pending, spec }: TaskState): string {
  const step = pending === null ? '' : ` during the step ${pending.type}`;
  return `The server stopped while it worked on ${spec.device}${step}.`;
}

function noted(state: TaskState, note: TaskNote): TaskState {
  if (note.type === 'started') return { ...state, isStarted: true };
  if (note.type === 'putOff') return anotherAttempt(state, note.reason);
  if (note.on === 'quiesce') return failed(state, note.reason, 'CANCELLED');
  const gaveUp = { ...state, undo: { ...state.undo, gaveUp: true } };
  return state.failure === null ? failed(gaveUp, note.reason) : warned(gaveUp, note.reason);
}

/** What is quiesced before our first request belongs to somebody else. */
function lookedFirst(
  state: TaskState,
  { reply }: Extract<TaskSettled, { effect: { type: 'look' } }>,
): TaskState {
  if (!reply.ok) return failed(state, reply.fault);
  const { spec } = state;
  const { rows, isGuardedByOther } = reply.value;
  const own = rows.find(({ domain }) => domain === spec.domain);
  if (spec.domain !== null && !spec.isAllDomains && own === undefined) {
    return failed(state, reasonOf('DOMAIN_NOT_ON_DEVICE', `${spec.device} has no domain ${spec.domain}.`));
  }
  const scope = quiesceScopeOf(spec);
  if (scope !== null) {
    const held = rowsInScope(rows, scope).find(({ quiesceState }) => quiesceState !== 'normal');
    if (isGuardedByOther) {
      const detail = `${spec.device} is still being unquiesced after an earlier task.`;
      return failed(state, reasonOf('DEVICE_STILL_BEING_UNQUIESCED', detail));
    }
    if (held !== undefined) {
      const code = scope.kind === 'domain' ? 'DOMAIN_ALREADY_QUIESCED' : 'DEVICE_HAS_QUIESCED_DOMAINS';
      const detail = `The domain ${held.domain} of ${spec.device} is already ${held.quiesceState}.`;
      return failed(state, reasonOf(code, detail));
    }
  }
  const hasUnsavedChanges = spec.isAllDomains
    ? rows.some((row) => row.isSaveNeeded)
    : (own?.isSaveNeeded ?? false);
  const looked = { ...state, isFirstLookDone: true, hasUnsavedChanges };
  if (!spec.isQuiesceAsked || scope !== null) return looked;
  const detail = `The domain ${DEFAULT_DOMAIN} of ${spec.device} cannot be quiesced; its export was taken while it ran.`;
  return warned(looked, reasonOf('DEFAULT_DOMAIN_NOT_QUIESCED', detail));
}

function lookedAgain(state: TaskState, fact: Extract<TaskSettled, { effect: { type: 'look' } }>): TaskState {
  const { quiesce, spec } = state;
  const { at, reply } = fact;
  const scope = quiesceScopeOf(spec);
  const nextLookAt = at + spec.limits.pollMs;
  if (!reply.ok || scope === null) return { ...state, quiesce: { ...quiesce, nextLookAt } };
  const isOver = state.failure !== null || state.publish === 'done';
  const seen = phaseOf(rowsInScope(reply.value.rows, scope), isOver ? 'normal' : 'quiesced');
  const hasBegun = quiesce.hasBegun || seen !== 'normal';
  const settlesAt = hasBegun ? 0 : quiesce.settlesAt;
  const isStill = isOver && seen === 'normal' && at >= Math.max(settlesAt, state.undo.settlesAt);
  const isReleased = quiesce.isReleased || isStill;
  const looked: TaskState = {
    ...state,
    quiesce: { ...quiesce, isLookDue: false, seen, nextLookAt, hasBegun, settlesAt, isReleased },
  };
  if (isOver || seen !== 'error') return looked;
  return failed(
    looked,
    reasonOf('QUIESCE_FAILED', `${spec.device} reports an error state while it is quiesced.`),
  );
}

/** `empty` is what a scope without any domain counts as. */
function phaseOf(rows: readonly DomainRow[], empty: 'normal' | 'quiesced'): SeenPhase {
  const states = new Set(rows.map(({ quiesceState }) => quiesceState));
  if (states.size === 0) return empty;
  if (states.has('error')) return 'error';
  if (states.size > 1) return 'between';
  if (states.has('quiesced')) return 'quiesced';
  return states.has('normal') ? 'normal' : 'between';
}

function secureBackupRefusal(
  { spec }: TaskState,
  seen: { backupMode: string; isCertificateUp: boolean; freeTemporaryMb: number },
): Reason | null {
  const { device, secureBackup, limits } = spec;
  if (seen.backupMode !== 'secure') {
    return reasonOf(
      'DEVICE_NOT_IN_DR_MODE',
      `The backup mode of ${device} is "${seen.backupMode}", not "secure".`,
    );
  }
  if (!seen.isCertificateUp) {
    const detail = `${device} has no crypto certificate object ${secureBackup?.certificate} that is up.`;
    return reasonOf('CERT_DOESNT_EXIST_ON_DEVICE', detail);
  }
  if (seen.freeTemporaryMb < limits.minFreeTemporaryMb) {
    const detail = `${device} has ${seen.freeTemporaryMb} MB free in temporary:, less than the ${limits.minFreeTemporaryMb} MB asked for.`;
    return reasonOf('NOT_ENOUGH_FREE_SPACE_ON_DEVICE', detail);
  }
  return null;
}

function fetched(state: TaskState, reply: Reply<FetchedBackup>): TaskState {
  if (!reply.ok) return failed({ ...state, fetch: 'failed' }, reply.fault);
  return { ...state, fetch: 'done', fetched: [...state.fetched, reply.value] };
}

function cleanedUp(state: TaskState, step: 'remoteRemoval' | 'discard', fault: Fault | null): TaskState {
  if (!isUndoing(state)) return litterCleared(state, step, fault);
  const litter = step === 'discard' ? 'storeLitter' : 'deviceLitter';
  if (fault === null) return { ...state, [step]: 'done', [litter]: null };
  return { ...state, [step]: 'failed', [litter]: reasonFrom(fault) };
}

/** What earlier attempts left goes before this one makes anything of its own, which is to be cleared away in its turn. */
function litterCleared(state: TaskState, step: 'remoteRemoval' | 'discard', fault: Fault | null): TaskState {
  const open: TaskState = { ...state, [step]: 'none' };
  if (fault !== null) return failed(open, fault);
  return step === 'discard' ? { ...open, storeLitter: null } : { ...open, deviceLitter: null };
}
