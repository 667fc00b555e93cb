import type { Backup } from '@stillpoint/contract';
import { countOf } from '../count-of.ts';
import { everyPage } from '../every-page.ts';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { textTable } from '../text-table.ts';

/** `backup list`: the newest backups. */
export const backupList: CommandDefinition = {
  syntax: 'list',
  summary: 'list backups, newest first',
  examples: ['stillpoint backup list', 'stillpoint backup list --device QA1 --domain payments'],
  flags: [
    { flag: '--device <name>', meaning: 'only backups of this device' },
    { flag: '--domain <name>', meaning: 'only backups of this domain, or all-domains' },
    { flag: '--limit <count>', meaning: 'at most so many (default 40)', parse: countOf },
  ],
  run: (invocation, _args, { device, domain, limit = 40 }) =>
    showAnswer(
      invocation,
      (client) =>
        everyPage(
          (cursor, size) =>
            client.listBackups({
              query: {
                limit: size,
                cursor,
                device: device as string | undefined,
                domain: domain as string | undefined,
              },
            }),
          Number(limit),
        ),
      backupTable,
    ),
};

function backupTable({ items }: { items: Backup[] }): string {
  if (items.length === 0) return 'No backup matches.';
  const rows = items.map(({ takenAt, device, domain, action, state, sizeBytes, firmwareVersion, files }) => {
    const [first, ...more] = files;
    const path =
      first === undefined ? null : more.length === 0 ? first.path : `${first.path} and ${more.length} more`;
    return [takenAt, device, domain, action, state, sizeBytes, firmwareVersion, path];
  });
  return textTable(['TAKEN', 'DEVICE', 'DOMAIN', 'ACTION', 'STATE', 'BYTES', 'FIRMWARE', 'FILES'], rows);
}
