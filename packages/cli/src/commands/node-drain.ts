import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';

/** `node drain`: lets a node begin nothing more. */
export const nodeDrain: CommandDefinition = {
  syntax: 'drain <name>',
  summary: 'let a node begin nothing more, so that it can be stopped when "node list" shows no task there',
  examples: ['stillpoint node drain backup-1'],
  run: (invocation, [name = '']) =>
    showAnswer(
      invocation,
      (client) => client.drainNode({ params: { name } }),
      ({ sentence }) => printable(sentence),
    ),
};
