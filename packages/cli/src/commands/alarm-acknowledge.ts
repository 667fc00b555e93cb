import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';

/** `alarm acknowledge`: says that somebody has seen an alarm. */
export const alarmAcknowledge: CommandDefinition = {
  syntax: 'acknowledge <id>',
  summary: 'say that you have seen an alarm; it stays open until it is no longer so',
  examples: ['stillpoint alarm acknowledge 0198c1d2 --note "the site is without power until Monday"'],
  flags: [{ flag: '--note <text>', meaning: 'kept with the alarm' }],
  run: (invocation, [id = ''], { note }) =>
    showAnswer(
      invocation,
      (client) => client.acknowledgeAlarm({ params: { id }, body: typeof note === 'string' ? { note } : {} }),
      ({ code, subject, closedAt }) =>
        printable(
          `The alarm ${code} of ${subject.kind} ${subject.name} is acknowledged; it is ${closedAt === null ? 'still open' : 'closed'}.`,
        ),
    ),
};
