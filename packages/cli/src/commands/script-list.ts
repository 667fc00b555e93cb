import { exitCode } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { scriptListText } from '../script-text.ts';

/** `script list`: the files of the scripts folder. */
export const scriptList: CommandDefinition = {
  syntax: 'list',
  summary:
    'list the scripts folder of the server, and why a file in it cannot be run (exit code 4 when the folder cannot be read)',
  examples: ['stillpoint script list'],
  run: (invocation) =>
    showAnswer(
      invocation,
      (client) => client.listScripts(),
      scriptListText,
      ({ problem }) => (problem === null ? exitCode.ok : exitCode.refusedByCheck),
    ),
};
