import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { storeText } from '../store-text.ts';

/** `store init`: marks the store as ours. */
export const storeInit: CommandDefinition = {
  syntax: 'init',
  summary: 'write the marker of this installation into the store; a second time changes nothing',
  examples: ['stillpoint params set store.path /mnt/backups && stillpoint store init'],
  run: (invocation) => showAnswer(invocation, (client) => client.initStore(), storeText),
};
