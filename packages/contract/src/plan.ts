import { z } from 'zod';
import { activityDefinitionShape, activityShape } from './activity.ts';
import { identifierShape } from './identifier.ts';
import { instantShape } from './instant.ts';
import { objectNameShape } from './object-name.ts';
import { runStatusShape } from './run.ts';

const scriptShape = z.string().min(1).max(255).nullable().default(null);

const notifyWhenShape = z
  .enum(['always', 'onProblem'])
  .nullable()
  .default(null)
  .describe('after each run, only after one that did not simply succeed, or (null) never');

const notifyShape = z
  .strictObject({ email: notifyWhenShape, syslog: notifyWhenShape, webhook: notifyWhenShape })
  .prefault({})
  .describe('who is told when a run has ended');

const planFields = {
  name: objectNameShape,
  description: z.string().max(1000).default(''),
  enabled: z.boolean().default(true).describe('only enabled plans run'),
  schedule: z
    .string()
    .min(1)
    .max(256)
    .nullable()
    .default(null)
    .describe(
      'Quartz cron line, or one of Unix (5 fields), which is translated; null: the plan runs only when it is asked to',
    ),
  timezone: z
    .string()
    .min(1)
    .max(64)
    .nullable()
    .default(null)
    .describe('IANA zone of schedule and window; null: the parameter `timezone`'),
  window: z
    .union([z.enum(['default', 'none']), z.array(z.string().min(1).max(32)).min(1).max(50)])
    .default('default')
    .describe('`default` (the parameter window.default), `none`, or a list of HH:MM-HH:MM'),
  blackoutDates: z
    .array(z.string().min(1).max(32))
    .max(1000)
    .default([])
    .describe('dates yyyy-mm-dd, or ranges yyyy-mm-dd/yyyy-mm-dd with both ends in them'),
  missedRuns: z
    .enum(['skip', 'once'])
    .default('once')
    .describe('fires that passed while no server was there: left out, or made up for by one run'),
  overlap: z
    .enum(['skip', 'queue'])
    .default('skip')
    .describe('a fire while a run of the plan is still going: left out, or a run that begins after that one'),
  defaultErrorPolicy: z.enum(['halt', 'ignore']).default('halt'),
  prePlanScript: scriptShape,
  postPlanScript: scriptShape,
  notify: notifyShape,
};

/** A plan as an apply document gives it. */
export const planDefinitionShape = z
  .strictObject({ ...planFields, activities: z.array(activityDefinitionShape).max(500).default([]) })
  .meta({ id: 'PlanDefinition' });

/** A plan of an apply document, defaults filled in. */
export type PlanDefinition = z.output<typeof planDefinitionShape>;

/** Fires of a plan that started no run of their own. */
export const leftOutFiresShape = z
  .object({
    reason: z.enum(['MISSED', 'OVERLAP']),
    fires: z
      .number()
      .int()
      .describe('how many; of more than a hundred missed at once only that many are counted'),
    firstAt: instantShape,
    lastAt: instantShape,
    noticedAt: instantShape,
    runId: identifierShape.nullable().describe('the run that was going, or that makes up for them'),
    sentence: z.string(),
  })
  .meta({ id: 'LeftOutFires' });

/** Fires of a plan that started no run of their own. */
export type LeftOutFires = z.output<typeof leftOutFiresShape>;

/** A plan as it is shown. */
export const planShape = z
  .object({
    ...planFields,
    activities: z.array(activityShape),
    scheduleRead: z
      .object({
        expression: z.string().describe('the Quartz line; one of Unix is translated'),
        words: z.string(),
      })
      .nullable()
      .describe('the schedule as it was understood; null without one, or where its last fire is past'),
    nextFireAts: z
      .array(instantShape)
      .describe('the next fires of the schedule, soonest first; may be empty'),
    leftOutFires: z.array(leftOutFiresShape).describe('the last five times, newest first'),
    lastRun: z.object({ id: identifierShape, status: runStatusShape, startedAt: instantShape }).nullable(),
  })
  .meta({ id: 'Plan' });

/** A plan as it is shown. */
export type Plan = z.output<typeof planShape>;
