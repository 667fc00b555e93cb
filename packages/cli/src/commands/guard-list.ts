import type { Guard } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { textTable } from '../text-table.ts';

/** `guard list`: what Stillpoint has quiesced. */
export const guardList: CommandDefinition = {
  syntax: 'list',
  summary: 'list what Stillpoint has quiesced, or may have, and not yet seen running again',
  examples: ['stillpoint guard list'],
  run: (invocation) => showAnswer(invocation, (client) => client.listGuards(), guardTable),
};

function guardTable({ items }: { items: Guard[] }): string {
  if (items.length === 0) return 'Nothing is quiesced by Stillpoint.';
  const rows = items.map(({ device, domain, runId, intendedAt, quiescedAt, hasOwner, sentence }) => [
    device,
    domain ?? '(whole device)',
    runId,
    intendedAt,
    quiescedAt,
    hasOwner ? 'its task' : 'being undone',
    sentence,
  ]);
  return textTable(['DEVICE', 'DOMAIN', 'RUN', 'INTENDED', 'QUIESCED', 'HELD BY', 'STATE'], rows);
}
