import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { storeText } from '../store-text.ts';

/** `store show`: the state of the store. */
export const storeShow: CommandDefinition = {
  syntax: 'show',
  summary: 'look at the store and say what is wrong with it',
  examples: ['stillpoint store show'],
  run: (invocation) => showAnswer(invocation, (client) => client.getStore(), storeText),
};
