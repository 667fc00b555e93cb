import { describe, expect, it } from 'vitest';
import type { ReasonCode } from '../core-catalogue.ts';
import { isCurable } from './is-curable.ts';

const reasons: readonly [ReasonCode, boolean][] = [
  ['NOT_ENOUGH_FREE_SPACE_IN_STORE', true],
  ['NOT_ENOUGH_FREE_SPACE_ON_DEVICE', true],
  ['DEVICE_STILL_BEING_UNQUIESCED', true],
  ['QUIESCE_FAILED', true],
  ['TASK_FAILED_PRE_SCRIPT', true],
  ['INTERRUPTED', true],
  ['DOMAIN_ALREADY_QUIESCED', false],
  ['DEVICE_HAS_QUIESCED_DOMAINS', false],
  ['DOMAIN_NOT_ON_DEVICE', false],
  ['DEVICE_NOT_IN_DR_MODE', false],
  ['CERT_DOESNT_EXIST_ON_DEVICE', false],
  ['UNQUIESCE_TIMEOUT', false],
  ['EXECUTION_CANCELED_BY_OPERATOR', false],
  ['EXECUTION_CANCELED_BECAUSE_ERROR_POLICY', false],
  ['EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW', false],
  ['EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED', false],
  ['EXECUTION_CANCELED_QUIESCE_TIMEOUT', false],
];

describe('what may be gone when a task is tried again', () => {
  it.each(reasons)('%s: %s', (code, expected) => {
    expect(isCurable({ code, detail: '' })).toBe(expected);
  });

  it('is, for a fault, what the fault says, whatever its code', () => {
    for (const retryable of [true, false])
      for (const effect of ['none', 'unknown'] as const) {
        expect(isCurable({ code: 'DEVICE_UNREACHABLE', detail: '', effect, retryable })).toBe(retryable);
        expect(isCurable({ code: 'INTERRUPTED', detail: '', effect, retryable })).toBe(retryable);
      }
  });
});
