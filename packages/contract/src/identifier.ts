import { z } from 'zod';

/** Identifier that the server gave to a run, a task or a backup. */
export const identifierShape = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be an identifier: 1 to 64 letters, digits, "-" or "_"');
