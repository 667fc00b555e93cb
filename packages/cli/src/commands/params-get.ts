import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { secretText, valueText } from '../parameter-value.ts';
import { printable } from '../printable.ts';

/** `params get`: the value of a system parameter. */
export const paramsGet: CommandDefinition = {
  syntax: 'get <name>',
  summary: 'print the value of a system parameter',
  examples: ['stillpoint params get store.path'],
  run: (invocation, [name = '']) =>
    showAnswer(
      invocation,
      (client) => client.getParameter({ params: { name } }),
      ({ value, isSecret, isSet }) => printable((isSecret ? secretText(isSet) : valueText(value)) ?? '-'),
    ),
};
