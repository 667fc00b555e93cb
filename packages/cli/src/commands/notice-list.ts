import type { Notice } from '@stillpoint/contract';
import { countOf } from '../count-of.ts';
import { everyPage } from '../every-page.ts';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { textTable } from '../text-table.ts';

/** `notice list`: what was told by mail, syslog and webhook, or is to be. */
export const noticeList: CommandDefinition = {
  syntax: 'list',
  summary: 'list what was told by mail, syslog and webhook, or waits to be, newest first',
  examples: ['stillpoint notice list', 'stillpoint notice list --state WAITING --channel email'],
  flags: [
    { flag: '--state <state>', meaning: 'only those that are WAITING, DELIVERED or GIVEN_UP' },
    { flag: '--channel <channel>', meaning: 'only those by email, syslog or webhook' },
    { flag: '--limit <count>', meaning: 'at most so many (default 40)', parse: countOf },
  ],
  run: (invocation, _args, { state, channel, limit = 40 }) => {
    // Whatever was given: what the server does not know it refuses by name.
    const wanted = { state, channel } as { state?: Notice['state']; channel?: Notice['channel'] };
    return showAnswer(
      invocation,
      (client) =>
        everyPage(
          (cursor, size) => client.listNotices({ query: { limit: size, cursor, ...wanted } }),
          Number(limit),
        ),
      noticeTable,
    );
  },
};

function noticeTable({ items }: { items: Notice[] }): string {
  if (items.length === 0) return 'There is no notice.';
  const rows = items.map(({ id, createdAt, channel, state, attempts, nextTryAt, summary, lastProblem }) => [
    ...[id, createdAt, channel, state, attempts, nextTryAt],
    [summary, lastProblem].filter((text) => text !== null).join(' '),
  ]);
  return textTable(['ID', 'CREATED', 'CHANNEL', 'STATE', 'TRIES', 'NEXT TRY', 'MESSAGE'], rows);
}
