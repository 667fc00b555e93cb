import type { z } from 'zod';
import type { ProblemCode } from './problem-catalogue.ts';

/** One call of the API as data; a part that is not named must be empty. */
export interface Route {
  readonly method: 'GET' | 'POST' | 'PUT';
  /** Below the prefix; `{name}` stands for a parameter. */
  readonly path: string;
  readonly noun: string;
  readonly summary: string;
  readonly params?: z.ZodObject;
  readonly query?: z.ZodObject;
  readonly body?: z.ZodObject;
  /** The one status of success and the shape of its body. */
  readonly replies: { readonly [status in 200 | 202]?: z.ZodType };
  /** Problems of this call in particular; any call may also meet the general ones. */
  readonly problems: readonly ProblemCode[];
  /** Answers without a token. */
  readonly isPublic?: true;
  readonly bodyLimitBytes?: number;
}
