import { z } from 'zod';
import { identifierShape } from './identifier.ts';
import { instantShape } from './instant.ts';

/** A device or domain that Stillpoint has quiesced, or may have; it stays listed until it was seen running again. */
export const guardShape = z
  .object({
    id: identifierShape,
    device: z.string(),
    domain: z.string().nullable().describe('null: the whole device'),
    taskId: identifierShape,
    runId: identifierShape.nullable(),
    intendedAt: instantShape.describe('when the quiesce was about to be sent'),
    quiescedAt: instantShape.nullable().describe('when it was seen quiesced; null: not known'),
    hasOwner: z.boolean().describe('a task that goes on holds it; otherwise Stillpoint is undoing it'),
    sentence: z.string(),
  })
  .meta({ id: 'Guard' });

/** A device or domain that Stillpoint has quiesced, or may have. */
export type Guard = z.output<typeof guardShape>;

/** What may be said when something is to be unquiesced now. */
export const unquiesceRequestShape = z
  .strictObject({
    cancelsTask: z
      .boolean()
      .default(false)
      .describe('where a task that goes on holds the guard: tell it to stop, so that it undoes its quiesce'),
  })
  .meta({ id: 'UnquiesceRequest' });

/** What may be said when something is to be unquiesced now. */
export type UnquiesceRequest = z.output<typeof unquiesceRequestShape>;

/** What was seen and done when something was to be unquiesced now. */
export const unquiesceOutcomeShape = z
  .object({
    device: z.string(),
    domain: z.string().nullable().describe('null: the whole device'),
    seen: z
      .array(z.object({ domain: z.string(), quiesceState: z.string() }))
      .describe('what of it was seen not running; empty also when the device did not answer'),
    isSent: z.boolean().describe('the device accepted an unquiesce'),
    isReleased: z.boolean().describe('it was seen running, and nothing of ours can change that any more'),
    isTaskTold: z.boolean().describe('the task that holds it was told to stop, and sets it moving by itself'),
    problem: z.string().nullable().describe('why it could not be looked at or unquiesced'),
    sentence: z.string(),
  })
  .meta({ id: 'UnquiesceOutcome' });

/** What was seen and done when something was to be unquiesced now. */
export type UnquiesceOutcome = z.output<typeof unquiesceOutcomeShape>;
