import { z } from 'zod';
import { identifierShape } from './identifier.ts';
import { instantShape } from './instant.ts';
import { pageQueryFields } from './page.ts';

/** Something that is wrong and wants a human; it closes by itself when it is no longer so. */
export const alarmShape = z
  .object({
    id: identifierShape,
    code: z.string(),
    subject: z.object({
      kind: z.enum(['device', 'task', 'run', 'node', 'channel']),
      name: z.string().describe('name of a device, a node or a channel, id of a task or a run'),
    }),
    sentence: z.string(),
    lastProblem: z.string().nullable().describe('what the last try to put it right met'),
    remedy: z.string(),
    openedAt: instantShape,
    lastSeenAt: instantShape.describe('when it was last found to be so'),
    closedAt: instantShape.nullable().describe('null: it is open'),
    acknowledgement: z
      .object({ at: instantShape, by: z.string(), note: z.string().nullable() })
      .nullable()
      .describe('somebody has seen it; this closes nothing'),
  })
  .meta({ id: 'Alarm' });

/** Something that is wrong and wants a human. */
export type Alarm = z.output<typeof alarmShape>;

/** Which alarms are listed, newest first. */
export const alarmQueryShape = z.strictObject({
  state: z.enum(['open', 'all']).default('open'),
  ...pageQueryFields,
});

/** Which alarms are listed, newest first. */
export type AlarmQuery = z.output<typeof alarmQueryShape>;

/** What may be said when an alarm is acknowledged. */
export const acknowledgementShape = z
  .strictObject({
    note: z.string().trim().min(1).max(1000).optional().describe('kept with the alarm'),
  })
  .meta({ id: 'Acknowledgement' });

/** What may be said when an alarm is acknowledged. */
export type Acknowledgement = z.output<typeof acknowledgementShape>;
