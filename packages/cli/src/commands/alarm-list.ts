import type { Alarm } from '@stillpoint/contract';
import { countOf } from '../count-of.ts';
import { everyPage } from '../every-page.ts';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { textTable } from '../text-table.ts';

/** `alarm list`: what is wrong and wants a human. */
export const alarmList: CommandDefinition = {
  syntax: 'list',
  summary: 'list the alarms that are open, newest first',
  examples: ['stillpoint alarm list', 'stillpoint alarm list --all --limit 20'],
  flags: [
    { flag: '--all', meaning: 'also those that have closed' },
    { flag: '--limit <count>', meaning: 'at most so many (default 40)', parse: countOf },
  ],
  run: (invocation, _args, { all, limit = 40 }) =>
    showAnswer(
      invocation,
      (client) =>
        everyPage(
          (cursor, size) =>
            client.listAlarms({ query: { limit: size, cursor, state: all === true ? 'all' : 'open' } }),
          Number(limit),
        ),
      alarmTable,
    ),
};

function alarmTable({ items }: { items: Alarm[] }): string {
  if (items.length === 0) return 'There is no alarm.';
  const rows = items.map(({ id, code, subject, openedAt, closedAt, acknowledgement, ...told }) => [
    id,
    code,
    `${subject.kind} ${subject.name}`,
    openedAt,
    closedAt ?? 'open',
    acknowledgement?.at ?? null,
    [told.sentence, told.lastProblem, told.remedy].filter((text) => text !== null).join(' '),
  ]);
  return textTable(['ID', 'CODE', 'SUBJECT', 'OPENED', 'CLOSED', 'ACKNOWLEDGED', 'MESSAGE'], rows);
}
