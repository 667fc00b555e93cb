import { describe, expect, expectTypeOf, it } from 'vitest';
import { coreCatalogue, type ReasonCode } from './core-catalogue.ts';
import type { reasonOf } from './reason.ts';

/** Every code that the tables of runs and of tasks, and the expansion of a plan, can answer "no" with. */
const codesOfTheTables = [
  'BACKUPS_ARE_DISABLED',
  'PRE_VALIDATION_OUT_OF_MAINTENANCE_WINDOW',
  'PRE_VALIDATION_INVALID_TIMEFRAME_FORMAT',
  'PRE_VALIDATION_QUIESCE_TIMEOUT_SYSPARM_TOO_SHORT',
  'PRE_VALIDATION_STORE_IS_NOT_MOUNTED',
  'PRE_VALIDATION_BACKUP_STORE_OUT_OF_SPACE',
  'PREPROCESS_EXECUTION_SKIPPED_BECAUSE_A_DAY_PASSED',
  'PLAN_FAILED_PRE_SCRIPT',
  'SKIPPED_DEVICE_NOT_AVAILABLE',
  'SKIPPED_NO_DEVICES_MATCHING_PATTERN',
  'SKIPPED_NO_DOMAINS_MATCHING_PATTERN',
  'SKIPPED_APIC_DOMAIN',
  'EXECUTION_CANCELED_BECAUSE_ERROR_POLICY',
  'EXECUTION_CANCELED_BECAUSE_MAINTENANCE_WINDOW',
  'EXECUTION_CANCELED_BECAUSE_A_DAY_PASSED',
  'EXECUTION_CANCELED_QUIESCE_TIMEOUT',
  'NOT_ENOUGH_FREE_SPACE_IN_STORE',
  'DOMAIN_ALREADY_QUIESCED',
  'DEVICE_HAS_QUIESCED_DOMAINS',
  'DEVICE_NOT_IN_DR_MODE',
  'CERT_DOESNT_EXIST_ON_DEVICE',
  'NOT_ENOUGH_FREE_SPACE_ON_DEVICE',
  'TASK_FAILED_PRE_SCRIPT',
  'UNQUIESCE_TIMEOUT',
  'INTERRUPTED',
] as const;

describe("the core's catalogue", () => {
  it.each(Object.entries(coreCatalogue))('%s says what happened and what to do next', (code, entry) => {
    expect(code).toMatch(/^[A-Z]+(_[A-Z]+)+$|^INTERRUPTED$/);
    for (const text of [entry.sentence, entry.remedy]) {
      expect(text).toMatch(/^[A-Z].*[^.]\.$/);
      expect(text).not.toMatch(/\s\s|\n/);
    }
  });

  it('has a sentence for every code of the tables', () => {
    expect(codesOfTheTables.filter((code) => !Object.hasOwn(coreCatalogue, code))).toEqual([]);
  });

  it('has every code that a reason of ours can be made with', () => {
    expectTypeOf<Parameters<typeof reasonOf>[0]>().toEqualTypeOf<keyof typeof coreCatalogue>();
    expectTypeOf<(typeof codesOfTheTables)[number]>().toExtend<ReasonCode>();
  });

  it('says no sentence twice', () => {
    const sentences = Object.values(coreCatalogue).map(({ sentence }) => sentence);
    expect(new Set(sentences).size).toBe(sentences.length);
  });
});
