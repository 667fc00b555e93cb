import { z } from 'zod';
import { instantShape } from './instant.ts';

/** One recorded step of a task; `unknown`: its effect on the appliance was never learnt. */
export const stepShape = z
  .object({
    name: z.string(),
    startedAt: instantShape,
    endedAt: instantShape.nullable(),
    outcome: z.enum(['running', 'succeeded', 'failed', 'unknown']),
    detail: z.string().nullable(),
  })
  .meta({ id: 'Step' });

/** One recorded step of a task. */
export type Step = z.output<typeof stepShape>;
