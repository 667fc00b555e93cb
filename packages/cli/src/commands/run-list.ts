import type { Run, RunStatus } from '@stillpoint/contract';
import { countOf } from '../count-of.ts';
import { everyPage } from '../every-page.ts';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { runTable } from '../run-text.ts';

/** `run list`: the newest runs. */
export const runList: CommandDefinition = {
  syntax: 'list',
  summary: 'list runs, newest first',
  examples: ['stillpoint run list', 'stillpoint run list --plan nightly --status FAILED --limit 10'],
  flags: [
    { flag: '--plan <name>', meaning: 'only runs of this plan' },
    { flag: '--status <status>', meaning: 'only runs in this state, e.g. FAILED' },
    { flag: '--limit <count>', meaning: 'at most so many (default 40)', parse: countOf },
  ],
  run: (invocation, _args, { plan, status, limit = 40 }) =>
    showAnswer(
      invocation,
      (client) =>
        everyPage(
          (cursor, size) =>
            client.listRuns({
              query: {
                limit: size,
                cursor,
                plan: plan as string | undefined,
                status: status as RunStatus | undefined,
              },
            }),
          Number(limit),
        ),
      ({ items }: { items: Run[] }) => runTable(items),
    ),
};
