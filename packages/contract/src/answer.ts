import type { Problem } from './problem.ts';

/** What a call comes to: its value, or the problem that stood in the way. */
export type Answer<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problem: Problem };
