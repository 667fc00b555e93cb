import { z } from 'zod';
import { type ProblemCode, problemCatalogue } from './problem-catalogue.ts';

/** One mistake in a request: where (a JSON pointer into the part that is wrong), its code, and a sentence. */
export const fieldErrorShape = z
  .object({ path: z.string(), code: z.string(), message: z.string() })
  .meta({ id: 'FieldError' });

/** One mistake in a request. */
export type FieldError = z.output<typeof fieldErrorShape>;

/** A problem as it travels (`application/problem+json`, RFC 9457) with our code, remedy and fields. */
export const problemShape = z
  .object({
    type: z.string(),
    title: z.string().describe('what happened, the same for every problem of this code'),
    status: z.number().int().describe('HTTP status; 0: found by the client itself'),
    code: z.string(),
    detail: z.string().describe('names the thing and the value'),
    remedy: z.string().describe('what to do next'),
    errors: z.array(fieldErrorShape).optional(),
  })
  .meta({ id: 'Problem' });

/** A problem as it travels. */
export type Problem = z.output<typeof problemShape>;

/** What one says of a problem; the rest of it stands in the catalogue. */
export interface Refusal {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly errors?: readonly FieldError[];
}

/** The whole problem that belongs to a refusal. */
export function problemOf({ code, detail, errors }: Refusal): Problem {
  const { httpStatus, sentence, remedy } = problemCatalogue[code];
  return {
    type: `urn:stillpoint:problem:${code}`,
    title: sentence,
    status: httpStatus,
    code,
    detail,
    remedy,
    ...(errors === undefined ? {} : { errors: [...errors] }),
  };
}
