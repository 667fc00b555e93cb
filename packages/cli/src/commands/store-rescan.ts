import type { Rescan } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';
import { textFacts } from '../text-table.ts';

/** `store rescan`: rebuilds the catalogue from the disk. */
export const storeRescan: CommandDefinition = {
  syntax: 'rescan',
  summary: 'rebuild the catalogue of backups from the disk',
  examples: ['stillpoint store rescan'],
  run: (invocation) => showAnswer(invocation, (client) => client.rescanStore(), rescanText),
};

function rescanText(rescan: Rescan): string {
  const facts = textFacts([
    ['Manifests read', rescan.manifestsRead],
    ['Backups added', rescan.backupsAdded],
    ['Backups unchanged', rescan.backupsUnchanged],
    ['Backups missing', rescan.backupsMissing],
    ['Backups damaged', rescan.backupsDamaged],
  ]);
  return [facts, ...rescan.problems.map(({ path, sentence }) => printable(`${path}: ${sentence}`))].join(
    '\n',
  );
}
