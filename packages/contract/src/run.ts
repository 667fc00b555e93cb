import { z } from 'zod';
import { identifierShape } from './identifier.ts';
import { instantShape } from './instant.ts';
import { pageQueryFields } from './page.ts';

/** State of a run; the last five are final. */
export const runStatusShape = z
  .enum(['QUEUED', 'VALIDATING', 'RUNNING', 'SUCCEEDED', 'PARTIAL', 'FAILED', 'SKIPPED', 'CANCELLED'])
  .meta({ id: 'RunStatus' });

/** State of a run. */
export type RunStatus = z.output<typeof runStatusShape>;

const countShape = z.number().int().min(0);

/** One execution of a plan, with its counters. */
export const runShape = z
  .object({
    id: identifierShape,
    plan: z.string(),
    trigger: z.enum(['schedule', 'request']),
    status: runStatusShape,
    reasonCode: z.string().nullable(),
    sentence: z.string().nullable().describe('why it ended as it did, and what to do'),
    startedAt: instantShape.describe('when it was put into the queue'),
    endedAt: instantShape.nullable(),
    windowOverrideReason: z.string().nullable(),
    repeatsRunId: identifierShape.nullable().describe('the run whose failed tasks it does again'),
    counters: z.object({
      devices: countShape.describe('devices that were to be backed up, whatever the outcome'),
      domains: countShape.describe('domains that were to be exported, whatever the outcome'),
      waiting: countShape,
      running: countShape,
      succeeded: countShape,
      failed: countShape,
      skipped: countShape,
      cancelled: countShape,
    }),
    warnings: z.array(z.string()),
  })
  .meta({ id: 'Run' });

/** One execution of a plan, with its counters. */
export type Run = z.output<typeof runShape>;

/** Which runs are listed, newest first. */
export const runQueryShape = z.strictObject({
  plan: z.string().min(1).max(128).optional(),
  status: runStatusShape.optional(),
  ...pageQueryFields,
});

/** Which runs are listed, newest first. */
export type RunQuery = z.output<typeof runQueryShape>;

/** What may be said when a run is asked for. */
export const runRequestShape = z
  .strictObject({
    windowOverrideReason: z
      .string()
      .trim()
      .min(10)
      .max(500)
      .optional()
      .describe('written reason for running outside the window; kept with the run'),
  })
  .meta({ id: 'RunRequest' });

/** What may be said when a run is asked for. */
export type RunRequest = z.output<typeof runRequestShape>;

/** What is asked for when a run is to be repeated. */
export const rerunRequestShape = runRequestShape
  .extend({
    onlyFailed: z
      .literal(true)
      .describe('only the tasks that failed, were cancelled, or whose device did not answer'),
  })
  .meta({ id: 'RerunRequest' });

/** What is asked for when a run is to be repeated. */
export type RerunRequest = z.output<typeof rerunRequestShape>;
