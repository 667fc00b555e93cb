import { z } from 'zod';
import { identifierShape } from './identifier.ts';
import { instantShape } from './instant.ts';

/** State of a node; `gone`: it did not say that it stops and has not been heard of for longer than its lease. */
const nodeStateShape = z.enum(['running', 'draining', 'stopped', 'gone']).meta({ id: 'NodeState' });

/** One server process of those that share a database. */
export const nodeShape = z
  .object({
    id: identifierShape,
    name: z.string(),
    state: nodeStateShape,
    isAnswering: z.boolean().describe('this node answers the call'),
    version: z.string(),
    pid: z.number().int(),
    url: z.string().nullable().describe('where it serves; null: not yet'),
    devicesParallel: z.number().int().describe('devices it works on at once'),
    tasksGoing: z.number().int().describe('tasks that it began and that have not ended'),
    startedAt: instantShape,
    heartbeatAt: instantShape,
    heartbeatAgeMs: z.number().int().min(0).describe("by the database's clock"),
    stoppedAt: instantShape.nullable(),
    sentence: z.string(),
  })
  .meta({ id: 'Node' });

/** One server process of those that share a database. */
export type Node = z.output<typeof nodeShape>;
