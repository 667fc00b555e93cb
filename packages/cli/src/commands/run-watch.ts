import { type CommandDefinition, withClient } from '../invocation.ts';
import { watchAsEvents } from '../watch-run.ts';

/** `run watch`: the tasks of a run as they change. */
export const runWatch: CommandDefinition = {
  syntax: 'watch <id>',
  summary: 'show the tasks of a run as they change, until it has ended; --json prints one document a line',
  examples: ['stillpoint run watch 0198c1d2'],
  run: (invocation, [id = '']) => withClient(invocation, (client) => watchAsEvents(invocation, client, id)),
};
