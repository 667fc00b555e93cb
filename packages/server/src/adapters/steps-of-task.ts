import type { Step } from '@stillpoint/contract';
import { isLook, type TaskFact } from '@stillpoint/core';

/** What a task's journal says of its steps, oldest first: what was begun, when it ended, and how. */
export function stepsOfTask(facts: readonly TaskFact[]): Step[] {
  const steps: Step[] = [];
  for (const fact of facts) {
    const at = new Date(fact.at).toISOString();
    const last = steps.at(-1);
    const isOpen = last?.outcome === 'running';
    if (fact.type === 'intended') {
      steps.push({ name: fact.effect.type, startedAt: at, endedAt: null, outcome: 'running', detail: null });
    } else if (fact.type === 'settled') {
      const { ok } = fact.reply;
      const outcome = ok ? 'succeeded' : fact.reply.fault.effect === 'unknown' ? 'unknown' : 'failed';
      const detail = ok ? null : fact.reply.fault.detail;
      const startedAt = isOpen && !isLook(fact.effect) ? last.startedAt : at;
      if (isOpen && !isLook(fact.effect)) steps.pop();
      steps.push({ name: fact.effect.type, startedAt, endedAt: at, outcome, detail });
    } else if (fact.type === 'takenOver') {
      if (isOpen)
        steps[steps.length - 1] = { ...last, endedAt: at, outcome: 'unknown', detail: 'The server stopped.' };
      steps.push({ name: 'takeOver', startedAt: at, endedAt: at, outcome: 'succeeded', detail: null });
    } else if (fact.type === 'noted' && fact.note.type === 'gaveUp') {
      const { on, reason } = fact.note;
      steps.push({
        name: `wait for ${on}`,
        startedAt: at,
        endedAt: at,
        outcome: 'failed',
        detail: reason.detail,
      });
    } else if (fact.type === 'told') {
      steps.push({
        name: 'cancel',
        startedAt: at,
        endedAt: at,
        outcome: 'succeeded',
        detail: fact.command.reason.detail,
      });
    }
  }
  return steps;
}
