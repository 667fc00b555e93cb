import type { Parameter } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { secretText, valueText } from '../parameter-value.ts';
import { textFacts } from '../text-table.ts';

/** `params explain`: all there is to know of a system parameter. */
export const paramsExplain: CommandDefinition = {
  syntax: 'explain <name>',
  summary: 'say what a system parameter means, what it may be, and when a new value counts',
  examples: ['stillpoint params explain queue.maxHours'],
  run: (invocation, [name = '']) =>
    showAnswer(invocation, (client) => client.getParameter({ params: { name } }), explanation),
};

function explanation(parameter: Parameter): string {
  const { name, value, defaultValue, meaning, unit, limits, takesEffect, isSecret, isSet } = parameter;
  return textFacts([
    ['Parameter', name],
    ['Meaning', meaning],
    ['Value', isSecret ? secretText(isSet) : valueText(value)],
    ['Default', valueText(defaultValue)],
    ['Allowed', limits],
    ['Unit', unit],
    ['Takes effect', takesEffect],
  ]);
}
