import type { Step } from '@stillpoint/contract';
import { isLook, type TaskFact } from '@stillpoint/core';

/** What a task's journal says of its steps, oldest first: what was begun, when it ended, and how. */
export function stepsOfTask(facts: readonly TaskFact[]): Step[] {
  const steps: Step[] = [];
  let attempt = 1;
  let isPutOff = false;
  const moment = (name: string, at: string, outcome: Step['outcome'], detail: string | null): Step => ({
    name,
    attempt,
    startedAt: at,
    endedAt: at,
    outcome,
    detail,
  });
  for (const fact of facts) {
    const at = new Date(fact.at).toISOString();
    // A cancel may have been told since it was begun, so it need not be the last.
    const openIndex = steps.findLastIndex(({ outcome }) => outcome === 'running');
    const open = steps[openIndex];
    if (fact.type === 'intended') {
      const begun = { name: fact.effect.type, attempt, startedAt: at };
      steps.push({ ...begun, endedAt: null, outcome: 'running', detail: null });
    } else if (fact.type === 'settled') {
      const end = { endedAt: at, ...endOf(fact.reply) };
      if (open === undefined || isLook(fact.effect)) {
        steps.push({ name: fact.effect.type, attempt, startedAt: at, ...end });
      } else steps[openIndex] = { ...open, ...end };
    } else if (fact.type === 'takenOver') {
      if (open !== undefined) {
        steps[openIndex] = { ...open, endedAt: at, outcome: 'unknown', detail: 'The server stopped.' };
      }
      // Who goes on with a task that was put off takes nothing over.
      if (!isPutOff) steps.push(moment('takeOver', at, 'succeeded', null));
      isPutOff = false;
    } else if (fact.type === 'noted' && fact.note.type === 'gaveUp') {
      const { on, reason } = fact.note;
      steps.push(moment(`wait for ${on}`, at, 'failed', reason.detail));
    } else if (fact.type === 'noted' && fact.note.type === 'putOff') {
      steps.push(moment('putOff', at, 'failed', fact.note.reason.detail));
      attempt += 1;
      isPutOff = true;
    } else if (fact.type === 'told') {
      const { command } = fact;
      if (command.type === 'cancel') steps.push(moment('cancel', at, 'succeeded', command.reason.detail));
      else steps.push(moment('release', at, 'succeeded', 'The device was set moving again for this task.'));
    }
  }
  return steps;
}

function endOf(reply: Extract<TaskFact, { type: 'settled' }>['reply']): Pick<Step, 'outcome' | 'detail'> {
  if (reply.ok) return { outcome: 'succeeded', detail: null };
  const { effect, detail } = reply.fault;
  return { outcome: effect === 'unknown' ? 'unknown' : 'failed', detail };
}
