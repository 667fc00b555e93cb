import { z } from 'zod';
import { instantShape } from './instant.ts';

/** One recorded step of a task; `unknown`: its effect on the appliance was never learnt. */
export const stepShape = z
  .object({
    name: z.string(),
    attempt: z.int().min(1).describe('which attempt of the task it belongs to'),
    startedAt: instantShape,
    endedAt: instantShape.nullable(),
    outcome: z.enum(['running', 'succeeded', 'failed', 'unknown']),
    detail: z.string().nullable(),
  })
  .meta({ id: 'Step' });

/** One recorded step of a task. */
export type Step = z.output<typeof stepShape>;
