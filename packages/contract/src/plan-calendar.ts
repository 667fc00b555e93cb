import { z } from 'zod';
import { instantShape } from './instant.ts';

/** How many days a calendar shows. */
export const planCalendarQueryShape = z.strictObject({
  days: z.coerce.number<string | number>().int().min(1).max(62).default(7),
});

/** How many days a calendar shows. */
export type PlanCalendarQuery = z.output<typeof planCalendarQueryShape>;

/** The fires that are to come, over all enabled plans. */
export const planCalendarShape = z
  .object({
    from: instantShape,
    until: instantShape.describe('nothing is listed from here on'),
    fires: z
      .array(
        z.object({
          at: instantShape,
          plan: z.string(),
          isWindowOpen: z.boolean(),
          sentence: z.string().nullable().describe('why the run would be skipped; null: it would not'),
          overlaps: z
            .array(z.string())
            .describe('plans on some of the same devices that may still be going then, this one included'),
        }),
      )
      .describe('soonest first'),
    notes: z.array(z.string()).describe('what is not listed, and why'),
  })
  .meta({ id: 'PlanCalendar' });

/** The fires that are to come, over all enabled plans. */
export type PlanCalendar = z.output<typeof planCalendarShape>;
