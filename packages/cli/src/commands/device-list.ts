import type { Device } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { printable } from '../printable.ts';
import { textTable } from '../text-table.ts';

/** `device list`: every device. */
export const deviceList: CommandDefinition = {
  syntax: 'list',
  summary: 'list every device',
  examples: ['stillpoint device list', 'stillpoint device list --json'],
  run: (invocation) => showAnswer(invocation, (client) => client.listDevices(), deviceTable),
};

function deviceTable({ items }: { items: Device[] }): string {
  if (items.length === 0) return 'There are no devices yet; define some with "stillpoint apply -f FILE".';
  const rows = items.map(({ name, host, somaPort, username, tls, tags, enabled }) => {
    const trust = Object.keys(tls)[0] ?? null;
    const tagList = Object.entries(tags).map(([key, value]) => `${key}=${value}`);
    return [name, host, somaPort, username, trust, tagList.join(' '), enabled ? 'yes' : 'no'];
  });
  const table = textTable(['NAME', 'HOST', 'PORT', 'USER', 'TLS', 'TAGS', 'ENABLED'], rows);
  const warnings = items.flatMap((device) =>
    device.warnings.map((warning) => `Warning: ${printable(warning)}`),
  );
  return [table, ...warnings].join('\n');
}
