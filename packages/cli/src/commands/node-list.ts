import type { Node } from '@stillpoint/contract';
import { type CommandDefinition, showAnswer } from '../invocation.ts';
import { textTable } from '../text-table.ts';

/** `node list`: the nodes that share the database. */
export const nodeList: CommandDefinition = {
  syntax: 'list',
  summary: 'list the nodes that share the database, and how each is',
  examples: ['stillpoint node list'],
  run: (invocation) => showAnswer(invocation, (client) => client.listNodes(), nodeTable),
};

function nodeTable({ items }: { items: Node[] }): string {
  const rows = items.map((node) => [
    node.isAnswering ? `${node.name} (this one)` : node.name,
    node.state,
    node.version,
    `${node.tasksGoing} of ${node.devicesParallel}`,
    `${(node.heartbeatAgeMs / 1000).toFixed(1)} s ago`,
    node.startedAt,
    node.url,
  ]);
  return textTable(['NAME', 'STATE', 'VERSION', 'TASKS', 'HEARD OF', 'STARTED', 'ADDRESS'], rows);
}
