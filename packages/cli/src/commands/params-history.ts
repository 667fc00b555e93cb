import type { ChangedParameter } from '@stillpoint/contract';
import { countOf } from '../count-of.ts';
import { everyPage } from '../every-page.ts';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { valueText } from '../parameter-value.ts';
import { textTable } from '../text-table.ts';

/** `params history`: who changed which parameter. */
export const paramsHistory: CommandDefinition = {
  syntax: 'history [name]',
  summary: 'list who changed which system parameter from what to what, newest first',
  examples: ['stillpoint params history', 'stillpoint params history queue.maxHours'],
  flags: [{ flag: '--limit <count>', meaning: 'at most so many (default 40)', parse: countOf }],
  run: (invocation, [name], { limit = 40 }) =>
    showAnswer(
      invocation,
      (client) =>
        everyPage(
          (cursor, size) => client.listChangedParameters({ query: { limit: size, cursor, name } }),
          Number(limit),
        ),
      historyTable,
    ),
};

function historyTable({ items }: { items: ChangedParameter[] }): string {
  if (items.length === 0) return 'No parameter was changed.';
  const rows = items.map(({ name, changedAt, changedBy, isSecret, before, after }) => [
    changedAt,
    changedBy,
    name,
    isSecret ? 'secret' : valueText(before),
    isSecret ? 'secret' : valueText(after),
  ]);
  return textTable(['AT', 'BY', 'PARAMETER', 'BEFORE', 'AFTER'], rows);
}
