import type { datapowerCatalogue } from './datapower-catalogue.ts';

/** A code of this package's catalogue. */
export type DatapowerCode = keyof typeof datapowerCatalogue;

/** Whether the request certainly changed nothing (`none`) or may have taken effect (`unknown`). */
export type Effect = 'none' | 'unknown';

/** What the world did to a request; `detail` names the thing and the value, never a secret. */
export interface Fault {
  readonly code: DatapowerCode;
  readonly effect: Effect;
  readonly retryable: boolean;
  readonly detail: string;
}

/** The outcome of a call: adapters return faults and throw only for bugs. */
export type Reply<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly fault: Fault };

/** A fault before its effect is known: only the caller knows whether the request could change anything. */
export interface Problem {
  readonly code: DatapowerCode;
  readonly detail: string;
}

const RETRYABLE: ReadonlySet<DatapowerCode> = new Set([
  'HOST_NOT_FOUND',
  'DEVICE_UNREACHABLE',
  'SENDING_NOT_ALLOWED',
  'CLIENT_CLOSED',
  'DEADLINE_EXCEEDED',
  'HTTP_UNAVAILABLE',
  'REPLY_STALLED',
  'CONNECTION_LOST',
  'REPLY_EMPTY',
  'REPLY_TRUNCATED',
  'REPLY_HAS_NUL',
  'BASE64_INVALID',
  'EMPTY_FILE',
  'FILE_NAME_MISMATCH',
  'DEVICE_ERROR',
]);

/** True when the same request, sent again unchanged, may well succeed. */
function isRetryable(code: DatapowerCode): boolean {
  return RETRYABLE.has(code);
}

/** Wraps a value as a good reply. */
export function good<T>(value: T): Reply<T> {
  return { ok: true, value };
}

/** Wraps a problem as a failed reply with the given effect. */
export function failed(problem: Problem, effect: Effect): { readonly ok: false; readonly fault: Fault } {
  const { code, detail } = problem;
  return { ok: false, fault: { code, effect, retryable: isRetryable(code), detail } };
}
