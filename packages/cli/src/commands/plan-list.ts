import type { Plan } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { textTable } from '../text-table.ts';

/** `plan list`: every plan. */
export const planList: CommandDefinition = {
  syntax: 'list',
  summary: 'list every plan with its next fire and its last run',
  examples: ['stillpoint plan list'],
  run: (invocation) => showAnswer(invocation, (client) => client.listPlans(), planTable),
};

function planTable({ items }: { items: Plan[] }): string {
  if (items.length === 0) return 'There are no plans yet; define some with "stillpoint apply -f FILE".';
  const rows = items.map(({ name, enabled, schedule, timezone, activities, nextFireAts, lastRun }) => [
    name,
    enabled ? 'yes' : 'no',
    schedule,
    timezone,
    activities.length,
    nextFireAts[0] ?? null,
    lastRun === null ? null : `${lastRun.status} ${lastRun.startedAt}`,
  ]);
  return textTable(['NAME', 'ENABLED', 'SCHEDULE', 'TIMEZONE', 'ACTIVITIES', 'NEXT FIRE', 'LAST RUN'], rows);
}
