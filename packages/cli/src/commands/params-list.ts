import type { Parameter } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { valueText } from '../parameter-value.ts';
import { textTable } from '../text-table.ts';

/** `params list`: every system parameter. */
export const paramsList: CommandDefinition = {
  syntax: 'list',
  summary: 'list every system parameter; "list" may be left out',
  examples: ['stillpoint params'],
  isDefault: true,
  run: (invocation) => showAnswer(invocation, (client) => client.listParameters(), parameterTable),
};

function parameterTable({ items }: { items: Parameter[] }): string {
  const rows = items.map(({ name, value, defaultValue, meaning }) => [
    name,
    valueText(value),
    valueText(defaultValue),
    meaning,
  ]);
  return textTable(['NAME', 'VALUE', 'DEFAULT', 'MEANING'], rows);
}
