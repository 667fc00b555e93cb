import { describe, expect, it } from 'vitest';
import { deviceOf, domainsAnswer, exportOf, planOf, secureBackupOf } from '../testing/build-plan.ts';
import type { Inventory, TaskDraft } from './expand-plan.ts';
import { devicesToAsk, repeatTasks, type TaskToRepeat } from './repeat-tasks.ts';

const plan = planOf([secureBackupOf('QA*'), exportOf('TEST*', 'DOMAIN*')]);
const devices = ['QA1', 'QA2', 'TEST8', 'TEST9'].map((name) => deviceOf(name));
const up = domainsAnswer('DOMAIN1', 'DOMAIN2', 'default');
const down: Inventory = { isAvailable: false, detail: 'connection refused' };

const backupOn = (device: string): TaskToRepeat => {
  return { activityIndex: 0, device, domain: null, isDomainKnown: true };
};
const exportOn = (device: string, domain: string): TaskToRepeat => {
  return { activityIndex: 1, device, domain, isDomainKnown: domain !== 'DOMAIN*' };
};

function repeat(only: TaskToRepeat[], fleet: Record<string, Inventory>, known = devices): string[] {
  const lineOf = ({ device, domain, skipped }: TaskDraft): string =>
    [domain === null ? device : `${device}/${domain}`, ...(skipped === null ? [] : [skipped.code])].join(' ');
  return repeatTasks(plan, known, new Map(Object.entries(fleet)), only).map(lineOf);
}

describe('the tasks of a run that repeats some of an earlier one', () => {
  it('are those alone, in the order of the plan', () => {
    const only = [exportOn('TEST8', 'DOMAIN2'), backupOn('QA2')];
    expect(repeat(only, { QA2: up, TEST8: up })).toEqual(['QA2', 'TEST8/DOMAIN2']);
  });

  it('are, on a device that had not answered, all that match now', () => {
    expect(repeat([exportOn('TEST9', 'DOMAIN*')], { TEST9: up })).toEqual(['TEST9/DOMAIN1', 'TEST9/DOMAIN2']);
  });

  it('are one, skipped, on a device that does not answer now', () => {
    const only = [exportOn('TEST8', 'DOMAIN1'), exportOn('TEST8', 'DOMAIN2')];
    expect(repeat(only, { TEST8: down })).toEqual(['TEST8/DOMAIN* SKIPPED_DEVICE_NOT_AVAILABLE']);
  });

  it('are skipped where the domain or the device is not there any more', () => {
    const only = [backupOn('QA1'), exportOn('TEST8', 'DOMAIN7')];
    const left = devices.filter(({ name }) => name !== 'QA1');
    expect(repeat(only, { TEST8: up }, left)).toEqual([
      'QA1 SKIPPED_NO_DEVICES_MATCHING_PATTERN',
      'TEST8/DOMAIN7 SKIPPED_NO_DOMAINS_MATCHING_PATTERN',
    ]);
  });

  it('ask no device for which there is nothing to repeat', () => {
    const names = (only: TaskToRepeat[] | null): string[] =>
      devicesToAsk(devices, only).map(({ name }) => name);
    expect(names([backupOn('QA2')])).toEqual(['QA2']);
    expect(names(null)).toEqual(['QA1', 'QA2', 'TEST8', 'TEST9']);
  });
});
