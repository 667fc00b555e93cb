import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { deviceOf, domainsAnswer, exportOf, planOf, secureBackupOf } from '../testing/build-plan.ts';
import {
  devicesOfPlan,
  expandPlan,
  type Inventory,
  type KnownDevice,
  type TaskDraft,
  wantsDomain,
} from './expand-plan.ts';
import { matchesPattern, parsePattern } from './pattern.ts';
import type { Activity, Plan } from './plan.ts';

/** A task as one line: action, device/domain, the reason of a skip. */
function lineOf({ action, device, domain, skipped }: TaskDraft): string {
  const what = action === 'SECURE_BACKUP' ? 'secure backup' : 'export';
  const where = domain === null ? device : `${device}/${domain}`;
  return [what, where, ...(skipped === null ? [] : [skipped.code])].join(' ');
}

function expand(activities: Activity[], fleet: Record<string, Inventory>): string[] {
  const devices = Object.keys(fleet).map((name) => deviceOf(name));
  return expandPlan(planOf(activities), devices, new Map(Object.entries(fleet))).map(lineOf);
}

const empty = domainsAnswer();
const down: Inventory = { isAvailable: false, detail: 'connection refused' };

describe('the expansion of a plan', () => {
  it('gives the six tasks of the worked example, in their order', () => {
    const plan = planOf([secureBackupOf('QA*'), exportOf('TEST8, TEST9', 'DOMAIN*')]);
    const devices = ['TEST9', 'QA3', 'TEST8', 'QA1', 'QA2'].map((name) => deviceOf(name));
    const inventories = new Map<string, Inventory>([
      ['QA1', empty],
      ['QA2', empty],
      ['QA3', empty],
      ['TEST8', domainsAnswer('DOMAIN2', 'default', 'DOMAIN1')],
      ['TEST9', down],
    ]);
    const drafts = expandPlan(plan, devices, inventories);
    expect(drafts.map(lineOf)).toEqual([
      'secure backup QA1',
      'secure backup QA2',
      'secure backup QA3',
      'export TEST8/DOMAIN1',
      'export TEST8/DOMAIN2',
      'export TEST9/DOMAIN* SKIPPED_DEVICE_NOT_AVAILABLE',
    ]);
    expect(drafts.map(({ activityIndex }) => activityIndex)).toEqual([0, 0, 0, 1, 1, 1]);
    expect(drafts[5]?.skipped?.detail).toBe('The device TEST9 is not available: connection refused');
  });

  it('gives one task for a device that does not answer, in each activity that matches it', () => {
    expect(expand([secureBackupOf('QA1'), exportOf('QA1', 'all-domains')], { QA1: down })).toEqual([
      'secure backup QA1 SKIPPED_DEVICE_NOT_AVAILABLE',
      'export QA1/all-domains SKIPPED_DEVICE_NOT_AVAILABLE',
    ]);
  });

  it('counts a device that was not asked as one that does not answer', () => {
    const drafts = expandPlan(planOf([secureBackupOf('QA1')]), [deviceOf('QA1')], new Map());
    expect(drafts.map(lineOf)).toEqual(['secure backup QA1 SKIPPED_DEVICE_NOT_AVAILABLE']);
  });

  it('gives one task under both patterns when no device matches', () => {
    expect(expand([secureBackupOf('QA*'), exportOf('QA*', 'DOM*')], { TEST8: empty })).toEqual([
      'secure backup QA* SKIPPED_NO_DEVICES_MATCHING_PATTERN',
      'export QA*/DOM* SKIPPED_NO_DEVICES_MATCHING_PATTERN',
    ]);
  });

  it('gives one task under the domain pattern when no domain matches', () => {
    const fleet = { TEST8: domainsAnswer('A'), TEST9: domainsAnswer('DOM1') };
    expect(expand([exportOf('TEST*', 'DOM*')], fleet)).toEqual([
      'export TEST8/DOM* SKIPPED_NO_DOMAINS_MATCHING_PATTERN',
      'export TEST9/DOM1',
    ]);
  });

  it('skips a domain of API Connect and keeps its neighbours', () => {
    const domains = [
      { name: 'apic', isApiConnect: true },
      { name: 'payments', isApiConnect: false },
    ];
    expect(expand([exportOf('TEST8', '*')], { TEST8: { isAvailable: true, domains } })).toEqual([
      'export TEST8/apic SKIPPED_APIC_DOMAIN',
      'export TEST8/payments',
    ]);
  });

  it('gives a task in each of two activities that match the same device and domain', () => {
    const fleet = { TEST8: domainsAnswer('DOM1', 'DOM2') };
    expect(expand([exportOf('TEST8', 'DOM*'), exportOf('TEST*', 'DOM2')], fleet)).toEqual([
      'export TEST8/DOM1',
      'export TEST8/DOM2',
      'export TEST8/DOM2',
    ]);
  });

  it('matches a device once even when two items of its pattern do', () => {
    expect(expand([secureBackupOf('QA*, QA1, *1')], { QA1: empty })).toEqual(['secure backup QA1']);
  });

  it.each(['all-domains', ' all-domains '])('takes "%s" as the keyword for one export of all', (keyword) => {
    const drafts = expandPlan(
      planOf([exportOf('TEST8', keyword)]),
      [deviceOf('TEST8')],
      new Map([['TEST8', domainsAnswer('A', 'B')]]),
    );
    expect(drafts).toMatchObject([{ domain: 'all-domains', isAllDomains: true, skipped: null }]);
  });

  it('tells a domain that is really named all-domains from the keyword', () => {
    const drafts = expandPlan(
      planOf([exportOf('TEST8', 'all-domain*')]),
      [deviceOf('TEST8')],
      new Map([['TEST8', domainsAnswer('all-domains', 'B')]]),
    );
    expect(drafts).toMatchObject([{ domain: 'all-domains', isAllDomains: false, skipped: null }]);
  });

  it('leaves out what is excluded, devices and domains alike', () => {
    const fleet = { QA1: domainsAnswer('A', 'B', 'default'), QA2: domainsAnswer('A') };
    expect(expand([exportOf('QA*, !QA2', '!default')], fleet)).toEqual(['export QA1/A', 'export QA1/B']);
  });

  it('matches devices by their tags', () => {
    const plan = planOf([secureBackupOf('tag:env=QA, !tag:site=north')]);
    const devices = [
      deviceOf('A', { env: 'QA', site: 'south' }),
      deviceOf('B', { env: 'QA', site: 'north' }),
      deviceOf('C', { env: 'PROD' }),
    ];
    expect(devicesOfPlan(plan, devices)).toEqual(['A']);
  });

  it('does not match a disabled device', () => {
    const plan = planOf([secureBackupOf('QA1')]);
    const devices = [{ ...deviceOf('QA1'), isEnabled: false }];
    expect(devicesOfPlan(plan, devices)).toEqual([]);
    expect(expandPlan(plan, devices, new Map([['QA1', empty]])).map(lineOf)).toEqual([
      'secure backup QA1 SKIPPED_NO_DEVICES_MATCHING_PATTERN',
    ]);
  });

  it('puts QA2 before QA10, and D2 before D10', () => {
    const fleet = { QA10: domainsAnswer('D10', 'D2'), QA2: domainsAnswer('D1') };
    expect(expand([exportOf('QA*', 'D*')], fleet)).toEqual([
      'export QA2/D1',
      'export QA10/D2',
      'export QA10/D10',
    ]);
  });

  it("takes an activity's own error policy before the plan's", () => {
    const activities = (['plan', 'halt', 'ignore'] as const).map((errorPolicy) =>
      secureBackupOf('QA1', { errorPolicy }),
    );
    const policies = (plan: Plan): string[] =>
      expandPlan(plan, [deviceOf('QA1')], new Map([['QA1', empty]])).map(({ errorPolicy }) => errorPolicy);
    expect(policies(planOf(activities, { defaultErrorPolicy: 'halt' }))).toEqual(['halt', 'halt', 'ignore']);
    expect(policies(planOf(activities, { defaultErrorPolicy: 'ignore' }))).toEqual([
      'ignore',
      'halt',
      'ignore',
    ]);
  });

  it('asks each device once, in the order of the tasks', () => {
    const plan = planOf([exportOf('TEST8', '*'), secureBackupOf('*')]);
    expect(
      devicesOfPlan(
        plan,
        ['TEST8', 'QA10', 'QA2'].map((name) => deviceOf(name)),
      ),
    ).toEqual(['TEST8', 'QA2', 'QA10']);
  });

  it('wants to know only of domains that it would export one by one', () => {
    const plan = planOf([
      secureBackupOf('QA1'),
      exportOf('QA1', 'DOM*'),
      exportOf('QA2', 'all-domains'),
      exportOf('QA3', ' all-domains'),
    ]);
    expect(wantsDomain(plan, deviceOf('QA1'), 'DOM1')).toBe(true);
    expect(wantsDomain(plan, deviceOf('QA1'), 'other')).toBe(false);
    expect(wantsDomain(plan, deviceOf('QA2'), 'all-domains')).toBe(false);
    expect(wantsDomain(plan, deviceOf('QA3'), 'all-domains')).toBe(false);
    expect(wantsDomain(plan, deviceOf('QA4'), 'DOM1')).toBe(false);
  });
});

describe('the expansion of any plan', () => {
  const name = fc.string({ unit: fc.constantFrom('A', 'B', '1', '2'), minLength: 1, maxLength: 3 });
  const pattern = fc
    .array(fc.string({ unit: fc.constantFrom('A', 'B', '1', '2', '*'), minLength: 1, maxLength: 3 }), {
      minLength: 1,
      maxLength: 3,
    })
    .map((items) => items.join(', '));
  const activity = fc.oneof(
    pattern.map((devices) => secureBackupOf(devices)),
    fc.tuple(pattern, pattern).map(([devices, domains]) => exportOf(devices, domains)),
    pattern.map((devices) => exportOf(devices, 'all-domains')),
  );
  const device = fc.record({ name, isEnabled: fc.boolean() });
  const fleet = fc.uniqueArray(device, { selector: (of) => of.name, maxLength: 8 });
  const domains = fc.uniqueArray(name, { maxLength: 5 });
  const answers = fc.array(fc.option(domains, { nil: null }), { minLength: 8, maxLength: 8 });
  const activities = fc.array(activity, { minLength: 1, maxLength: 3 });

  function inventoriesOf(
    devices: readonly KnownDevice[],
    replies: readonly (readonly string[] | null)[],
  ): Map<string, Inventory> {
    return new Map(
      devices.map((of, index) => {
        const names = replies[index] ?? null;
        return [of.name, names === null ? down : domainsAnswer(...names)];
      }),
    );
  }

  function isMatched(text: string, thing: string): boolean {
    const parsed = parsePattern(text);
    return !('kind' in parsed) && matchesPattern(parsed, { name: thing });
  }

  it('has no task on a device or domain that was not matched, and misses none that was', () => {
    fc.assert(
      fc.property(activities, fleet, answers, (given, devices, replies) => {
        const drafts = expandPlan(planOf(given), devices, inventoriesOf(devices, replies));
        given.forEach((of, index) => {
          const own = drafts.filter(({ activityIndex }) => activityIndex === index);
          const matched = devices.filter((one) => one.isEnabled && isMatched(of.devices, one.name));
          const expected = matched.length === 0 ? [of.devices] : matched.map((one) => one.name);
          expect(new Set(own.map((draft) => draft.device))).toEqual(new Set(expected));
          for (const draft of own.filter(({ skipped }) => skipped === null)) {
            expect(expected).toContain(draft.device);
            if (of.action === 'SECURE_BACKUP') expect(draft.domain).toBeNull();
            else if (!draft.isAllDomains) expect(isMatched(of.domains, draft.domain ?? '')).toBe(true);
          }
        });
      }),
      { numRuns: 500 },
    );
  });

  it('is the same whatever order devices and domains come in', () => {
    const shuffles = fc.tuple(activities, fleet, answers).chain(([given, devices, replies]) =>
      fc.record({
        plan: fc.constant(planOf(given)),
        devices: fc.constant(devices),
        inventories: fc.constant(inventoriesOf(devices, replies)),
        shuffled: fc.shuffledSubarray(devices, { minLength: devices.length }),
      }),
    );
    fc.assert(
      fc.property(shuffles, ({ plan, devices, inventories, shuffled }) => {
        const reversed = new Map(
          [...inventories].map(([of, answer]) => [
            of,
            answer.isAvailable ? { ...answer, domains: answer.domains.toReversed() } : answer,
          ]),
        );
        expect(expandPlan(plan, shuffled, reversed)).toEqual(expandPlan(plan, devices, inventories));
      }),
      { numRuns: 500 },
    );
  });
});
