import { z } from 'zod';
import { fileShape } from './file.ts';
import { identifierShape } from './identifier.ts';
import { instantShape } from './instant.ts';
import { pageQueryFields } from './page.ts';
import { scriptOutputShape } from './script.ts';
import { stepShape } from './step.ts';

/** What a task does. */
export const actionShape = z.enum(['SECURE_BACKUP', 'EXPORT_DOMAIN']).meta({ id: 'Action' });

/** State of a task; the last four are final. */
const taskStatusShape = z
  .enum(['WAITING', 'RUNNING', 'SUCCEEDED', 'FAILED', 'SKIPPED', 'CANCELLED'])
  .meta({ id: 'TaskStatus' });

/** State of a task. */
export type TaskStatus = z.output<typeof taskStatusShape>;

/** One operation on one device. */
export const taskShape = z
  .object({
    id: identifierShape,
    runId: identifierShape,
    action: actionShape,
    device: z.string(),
    domain: z.string().nullable().describe('null for a secure backup'),
    status: taskStatusShape,
    reasonCode: z.string().nullable(),
    sentence: z
      .string()
      .nullable()
      .describe(
        'names the step, the device and what to do; of a task that waits again, why it failed before',
      ),
    attempt: z.int().min(1).describe('which attempt it is in, was in last, or waits for'),
    attempts: z.int().min(1).describe('how many there may be at most'),
    nextAttemptAt: instantShape.nullable().describe('when a task that failed is tried again'),
    files: z.array(fileShape),
    createdAt: instantShape,
    startedAt: instantShape.nullable(),
    endedAt: instantShape.nullable(),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Task' });

/** One operation on one device. */
export type Task = z.output<typeof taskShape>;

/** A task with its recorded steps, oldest first, and what its scripts printed. */
export const taskDetailShape = z
  .object({ ...taskShape.shape, steps: z.array(stepShape), scripts: z.array(scriptOutputShape) })
  .meta({ id: 'TaskDetail' });

/** A task with its recorded steps, oldest first, and what its scripts printed. */
export type TaskDetail = z.output<typeof taskDetailShape>;

/** Which part of a run's tasks is listed, in creation order. */
export const taskQueryShape = z.strictObject(pageQueryFields);

/** Which part of a run's tasks is listed, in creation order. */
export type TaskQuery = z.output<typeof taskQueryShape>;
