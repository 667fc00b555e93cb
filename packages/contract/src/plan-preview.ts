import { z } from 'zod';
import { instantShape } from './instant.ts';
import { actionShape } from './task.ts';

const checkShape = z
  .object({
    name: z.enum([
      'backupsEnabled',
      'windowReadable',
      'quiesceTimeout',
      'windowOpen',
      'storeMounted',
      'storeSpace',
    ]),
    row: z.number().int().describe('row of the table of steps of a run'),
    isPassed: z.boolean(),
    code: z.string().nullable().describe('what a run would end with'),
    sentence: z.string(),
  })
  .meta({ id: 'RunCheck' });

const windowFitShape = z
  .object({
    isOpen: z.boolean(),
    timezone: z.string(),
    opensAt: instantShape.nullable().describe('when it opens next, while it is closed; null for never'),
    closesAt: instantShape.nullable().describe('when it closes next, while it is open; null for never'),
    isLongEnough: z
      .boolean()
      .nullable()
      .describe('whether the run, as long as earlier ones, ends before the window closes; null: unknown'),
    sentence: z.string(),
  })
  .meta({ id: 'WindowFit' });

const estimateShape = z
  .object({
    bytes: z
      .number()
      .int()
      .nullable()
      .describe('of all tasks whose last good backup is known; null when none is'),
    tasksOfUnknownBytes: z.number().int(),
    durationSeconds: z
      .number()
      .nullable()
      .describe('at least, by the last good backups; null when none is known'),
    tasksOfUnknownDuration: z.number().int(),
  })
  .meta({ id: 'RunEstimate' });

/** What a run of the plan would do if it began now. */
export const planPreviewShape = z
  .object({
    plan: z.string(),
    previewedAt: instantShape,
    refusal: z
      .object({ code: z.string(), sentence: z.string() })
      .nullable()
      .describe('the check that would end the run before its first task'),
    checks: z.array(checkShape).describe('what a run asks before its first task, in this order'),
    window: windowFitShape.nullable().describe('null when the window cannot be read'),
    tasks: z
      .array(
        z.object({
          action: actionShape,
          device: z.string(),
          domain: z.string().nullable(),
          status: z.enum(['WAITING', 'SKIPPED']),
          reasonCode: z.string().nullable(),
          sentence: z.string().nullable(),
          estimatedBytes: z.number().int().nullable().describe('of its last good backup'),
          estimatedSeconds: z.number().nullable().describe('that its last good backup took'),
        }),
      )
      .describe(
        'in the order in which they would start; devices are asked for their domains now, but whether a domain belongs to API Connect may be known from a preview or a run of the last ten minutes, which a run asks again',
      ),
    estimate: estimateShape,
    missingScripts: z
      .array(z.object({ name: z.string(), code: z.string(), sentence: z.string() }))
      .describe('scripts that cannot be run on the node that answers'),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'PlanPreview' });

/** What a run of the plan would do if it began now. */
export type PlanPreview = z.output<typeof planPreviewShape>;
