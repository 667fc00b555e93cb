import { exitCode, type NoticeTest } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { textTable } from '../text-table.ts';

type Channel = NoticeTest['channels'][number]['channel'];

const outcomes = { sent: 'sent', failed: 'FAILED', notSetUp: 'not set up' } as const;

/** `notify test`: sends something by each channel and says what came of it. */
export const notifyTest: CommandDefinition = {
  syntax: 'test [channel]',
  summary: 'send a test by email, syslog, webhook or heartbeat, or by all that are set up',
  examples: ['stillpoint notify test', 'stillpoint notify test email'],
  run: (invocation, [channel]) =>
    showAnswer(
      invocation,
      // Whatever was given: what the server does not know it refuses by name.
      (client) => client.testNotices({ body: channel === undefined ? {} : { channel: channel as Channel } }),
      ({ channels }) =>
        textTable(
          ['CHANNEL', 'OUTCOME', 'MESSAGE'],
          channels.map((tested) => [tested.channel, outcomes[tested.outcome], tested.sentence]),
        ),
      ({ channels }) => {
        if (channels.some(({ outcome }) => outcome === 'failed')) return exitCode.someTaskFailed;
        return channels.some(({ outcome }) => outcome === 'sent') ? exitCode.ok : exitCode.nothingToDo;
      },
    ),
};
