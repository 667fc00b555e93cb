import type { ApplyOutcome } from '@stillpoint/contract';
import { applyFile } from '../apply-file.ts';
import { type CommandDefinition, withClient } from '../invocation.ts';
import { printable } from '../printable.ts';
import { textTable } from '../text-table.ts';

/** `apply`: makes parameters, devices and plans as a file says. */
export const apply: CommandDefinition = {
  syntax: 'apply',
  summary: 'make parameters, devices and plans as a YAML file says; all of it or nothing',
  examples: ['stillpoint apply -f plans.yaml --dry-run', 'stillpoint apply -f plans.yaml'],
  flags: [
    {
      flag: '-f, --file <file>',
      meaning: 'the YAML file; passwordFile and caFile in it are relative to it',
      isRequired: true,
    },
    { flag: '--dry-run', meaning: 'only say what would change' },
  ],
  run: async (invocation, _args, { file, dryRun }) => {
    const { printer, surroundings } = invocation;
    const read = await applyFile(String(file), surroundings.workingDirectory);
    if (!read.ok) return printer.problem(read.problem);
    const { document, locate } = read.value;
    return withClient(invocation, async (client) => {
      const query = { dryRun: dryRun === true ? ('true' as const) : ('false' as const) };
      const answer = await client.applyDocument({ body: document, query });
      if (!answer.ok) return printer.problem(locate(answer.problem));
      printer.value(answer.value, outcomeText);
      return 0;
    });
  },
};

function outcomeText({ dryRun, objects, warnings }: ApplyOutcome): string {
  if (objects.length === 0) return 'The document names nothing, so nothing changes.';
  const table = textTable(
    ['KIND', 'NAME', 'OUTCOME'],
    objects.map(({ kind, name, outcome }) => [kind, name, outcome]),
  );
  const parts = [table, ...warnings.map((warning) => printable(`Warning: ${warning}`))];
  if (dryRun) parts.push('This was a dry run: nothing was changed.');
  return parts.join('\n\n');
}
