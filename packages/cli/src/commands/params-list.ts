import type { Parameter } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { secretText, valueText } from '../parameter-value.ts';
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
  const rows = items.map(({ name, value, defaultValue, meaning, isSecret, isSet }) => [
    name,
    isSecret ? secretText(isSet) : shortened(valueText(value)),
    valueText(defaultValue),
    meaning,
  ]);
  return textTable(['NAME', 'VALUE', 'DEFAULT', 'MEANING'], rows);
}

/** Certificates fill no table; `params get` prints them whole. */
function shortened(text: string | null): string | null {
  return text !== null && text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
