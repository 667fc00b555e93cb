import type { ReasonCode } from './core-catalogue.ts';

/** Why something ended as it did: a code of a catalogue (ours, or that of the part which failed) and a plain sentence. */
export type Reason = { readonly code: string; readonly detail: string };

/** A reason of this package's own catalogue. */
export function reasonOf(code: ReasonCode, detail: string): Reason {
  return { code, detail };
}

/** What failed outside: `effect` says whether the request may have taken effect all the same. */
export type Fault = {
  readonly code: string;
  readonly effect: 'none' | 'unknown';
  readonly retryable: boolean;
  readonly detail: string;
};

/** What came of asking the world for something. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };
