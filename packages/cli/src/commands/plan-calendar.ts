import type { PlanCalendar } from '@stillpoint/contract';
import { InvalidArgumentError } from 'commander';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';
import { textTable } from '../text-table.ts';

/** `plan calendar`: the fires to come. */
export const planCalendar: CommandDefinition = {
  syntax: 'calendar',
  summary: 'list the fires to come, over all enabled plans, and whether their windows are open then',
  examples: ['stillpoint plan calendar', 'stillpoint plan calendar --days 31'],
  flags: [{ flag: '--days <count>', meaning: 'how far to look, from 1 to 62 (default 7)', parse: daysOf }],
  run: (invocation, _args, { days = 7 }) =>
    showAnswer(
      invocation,
      (client) => client.getPlanCalendar({ query: { days: Number(days) } }),
      calendarText,
    ),
};

function daysOf(text: string): number {
  const days = /^\d{1,2}$/.test(text) ? Number(text) : 0;
  if (days >= 1 && days <= 62) return days;
  throw new InvalidArgumentError('It must be a number from 1 to 62.');
}

function calendarText({ fires, until, notes }: PlanCalendar): string {
  if (fires.length === 0) return `No plan fires before ${until}.`;
  const rows = fires.map(({ at, plan, isWindowOpen, sentence, overlaps }) => [
    at,
    plan,
    isWindowOpen ? 'open' : 'closed',
    overlaps.length === 0 ? null : overlaps.join(', '),
    sentence,
  ]);
  const table = textTable(['AT', 'PLAN', 'WINDOW', 'MAY MEET', 'REMARK'], rows);
  return [table, ...notes.map((note) => printable(`Note: ${note}`))].join('\n');
}
