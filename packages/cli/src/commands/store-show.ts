import { exitCode } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { storeText } from '../store-text.ts';

/** `store show`: the state of the store. */
export const storeShow: CommandDefinition = {
  syntax: 'show',
  summary: 'look at the store and say what is wrong with it (exit code 4 when it cannot be used)',
  examples: ['stillpoint store show'],
  run: (invocation) =>
    showAnswer(
      invocation,
      (client) => client.getStore(),
      storeText,
      ({ isUsable }) => (isUsable ? exitCode.ok : exitCode.refusedByCheck),
    ),
};
