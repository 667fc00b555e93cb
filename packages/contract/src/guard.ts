import { z } from 'zod';
import { identifierShape } from './identifier.ts';
import { instantShape } from './instant.ts';

/** A device or domain that Stillpoint has quiesced, or may have; it stays listed until it was seen running again. */
export const guardShape = z
  .object({
    device: z.string(),
    domain: z.string().nullable().describe('null: the whole device'),
    taskId: identifierShape,
    runId: identifierShape.nullable(),
    intendedAt: instantShape.describe('when the quiesce was about to be sent'),
    quiescedAt: instantShape.nullable().describe('when it was seen quiesced; null: not known'),
    hasOwner: z.boolean().describe('a living task holds it; otherwise Stillpoint is undoing it'),
    sentence: z.string(),
  })
  .meta({ id: 'Guard' });

/** A device or domain that Stillpoint has quiesced, or may have. */
export type Guard = z.output<typeof guardShape>;
