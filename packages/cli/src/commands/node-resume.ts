import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';

/** `node resume`: takes a drain back. */
export const nodeResume: CommandDefinition = {
  syntax: 'resume <name>',
  summary: 'let a node that drains begin work again; a node that is started anew does so by itself',
  examples: ['stillpoint node resume backup-1'],
  run: (invocation, [name = '']) =>
    showAnswer(
      invocation,
      (client) => client.resumeNode({ params: { name } }),
      ({ sentence }) => printable(sentence),
    ),
};
