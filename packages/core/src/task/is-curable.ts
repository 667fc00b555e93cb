import type { ReasonCode } from '../core-catalogue.ts';
import type { Fault, Reason } from '../reason.ts';

/**
 * The reasons of ours for which a task fails and which may be gone the next time. All others stay until somebody does
 * something: the device has no such domain or certificate, or somebody else works on it and is not to be disturbed.
 */
const curable: ReadonlySet<string> = new Set<ReasonCode>([
  'NOT_ENOUGH_FREE_SPACE_IN_STORE',
  'NOT_ENOUGH_FREE_SPACE_ON_DEVICE',
  'DEVICE_STILL_BEING_UNQUIESCED',
  'QUIESCE_FAILED',
  'TASK_FAILED_PRE_SCRIPT',
  'INTERRUPTED',
]);

/** Whether a task that failed for this may succeed when it is tried again; a fault says so itself. */
export function isCurable(cause: Reason | Fault): boolean {
  return 'retryable' in cause ? cause.retryable : curable.has(cause.code);
}
