import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';

/** `notice retry`: tries to deliver a notice now. */
export const noticeRetry: CommandDefinition = {
  syntax: 'retry <id>',
  summary: 'try to deliver a notice now, also one that was given up',
  examples: ['stillpoint notice retry 0198c1d2'],
  run: (invocation, [id = '']) =>
    showAnswer(
      invocation,
      (client) => client.retryNotice({ params: { id } }),
      ({ channel, attempts }) =>
        printable(`The notice by ${channel} is tried again now, after ${attempts} tries.`),
    ),
};
