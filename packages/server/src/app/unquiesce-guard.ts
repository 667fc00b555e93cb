import type { Guard, Refusal, UnquiesceOutcome } from '@stillpoint/contract';
import type { Outcome } from './application.ts';
import type { Attempt, History, Runs, Undoer } from './ports.ts';

/** What unquiescing on demand needs of the world. */
export type UnquiescePorts = {
  readonly history: Pick<History, 'guard'>;
  readonly runs: Pick<Runs, 'cancelTask'>;
  readonly undoer: Undoer;
};

/**
 * Unquiesces now what an open guard holds. While a task holds it nothing is sent from here: the task would see its
 * quiesce undone behind its back. It can be told to stop instead, and then undoes its quiesce itself.
 */
export async function unquiesceGuard(
  id: string,
  cancelsTask: boolean,
  { history, runs, undoer }: UnquiescePorts,
): Promise<Outcome<UnquiesceOutcome>> {
  const found = await history.guard(id);
  if (found === null) return refuse('GUARD_NOT_FOUND', `There is no guard "${id}".`);
  const { guard, isReleased } = found;
  const name = nameOf(guard);
  if (isReleased) return refuse('GUARD_ALREADY_RELEASED', `${name} was seen running again already.`);
  if (guard.hasOwner) {
    if (!cancelsTask) {
      return refuse('GUARD_HAS_OWNER', `${name} is quiesced by the task ${guard.taskId}, which goes on.`);
    }
    if (await runs.cancelTask(guard.taskId)) return told(guard, name);
  }
  const attempt = await undoer.workOnNow(id);
  if (attempt === 'busy') return whyBusy(await history.guard(id), name);
  return { ok: true, value: outcomeOf(guard, name, attempt) };
}

/** It was no longer to be had: what has become of it in the meantime. */
function whyBusy(found: Awaited<ReturnType<History['guard']>>, name: string): Outcome<UnquiesceOutcome> {
  if (found === null || found.isReleased) {
    return refuse('GUARD_ALREADY_RELEASED', `${name} was seen running again just now.`);
  }
  if (found.guard.hasOwner) {
    const detail = `The task ${found.guard.taskId} goes on again, and undoes its quiesce of ${name} itself.`;
    return refuse('GUARD_HAS_OWNER', detail);
  }
  return refuse('GUARD_BUSY', `${name} is being unquiesced by another node.`);
}

function told({ device, domain, taskId }: Guard, name: string): Outcome<UnquiesceOutcome> {
  const sentence = `The task ${taskId} was told to stop; it sets ${name} moving again at its next safe point.`;
  const nothing = { seen: [], isSent: false, isReleased: false, problem: null };
  return { ok: true, value: { device, domain, ...nothing, isTaskTold: true, sentence } };
}

function outcomeOf({ device, domain }: Guard, name: string, attempt: Attempt): UnquiesceOutcome {
  const { seen, isSent, isReleased, problem } = attempt;
  const sentence = sentenceOf(name, attempt);
  return { device, domain, seen: [...seen], isSent, isReleased, isTaskTold: false, problem, sentence };
}

function sentenceOf(name: string, { seen, isSent, isReleased, problem }: Attempt): string {
  if (isReleased) return `${name} runs; nothing is left to undo.`;
  if (problem !== null) return `${name} could not be unquiesced: ${problem} It is tried again until it runs.`;
  if (isSent) {
    const states = seen.map(({ domain, quiesceState }) => `${domain} was ${quiesceState}`).join(', ');
    return `${name} was told to run again (${states}); Stillpoint goes on looking until it does.`;
  }
  return `${name} was seen running; Stillpoint goes on looking until no request of its own can land there any more.`;
}

function nameOf({ device, domain }: Guard): string {
  return domain === null ? device : `${device}/${domain}`;
}

function refuse(code: Refusal['code'], detail: string): { ok: false; problem: Refusal } {
  return { ok: false, problem: { code, detail } };
}
