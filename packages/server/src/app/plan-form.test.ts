import { type PlanDefinition, planDefinitionShape, planShape } from '@stillpoint/contract';
import { describe, expect, it } from 'vitest';
import { planFields, planFrom } from './plan-form.ts';

/** A plan as the contract lets it through. */
const definitionOf = (input: object): PlanDefinition =>
  planDefinitionShape.parse({ name: 'nightly', ...input });

const full = definitionOf({
  description: 'all of it',
  enabled: false,
  schedule: '0 0 2 * * ?',
  timezone: 'Europe/Zurich',
  window: ['22:00-06:00', '12:00-13:00'],
  blackoutDates: ['2026-12-24/2026-12-26'],
  missedRuns: 'skip',
  overlap: 'queue',
  notify: { email: 'onProblem', webhook: 'always' },
  defaultErrorPolicy: 'ignore',
  prePlanScript: 'before.sh',
  postPlanScript: 'after.sh',
  activities: [
    {
      secureBackup: {
        devices: 'QA*',
        certificate: 'dr-cert',
        includeIscsi: true,
        quiesce: true,
        preTaskScript: 'pre.sh',
        postTaskScript: { script: 'post.sh', when: 'onFailure' },
        errorPolicy: 'halt',
        retry: { attempts: 2 },
      },
    },
    { exportDomain: { devices: 'TEST8, TEST9', domains: 'DOMAIN*' } },
  ],
});

describe('a plan', () => {
  it('is told in the words of core', () => {
    const plan = planFrom(full);
    expect(plan).toMatchObject({ isEnabled: false, window: ['22:00-06:00', '12:00-13:00'] });
    expect(plan).not.toHaveProperty('enabled');
    expect(plan.activities).toEqual([
      {
        action: 'SECURE_BACKUP',
        devices: 'QA*',
        certificate: 'dr-cert',
        includesIscsi: true,
        includesRaid: false,
        quiesce: true,
        preTaskScript: 'pre.sh',
        postTaskScript: { script: 'post.sh', when: 'onFailure' },
        errorPolicy: 'halt',
        retry: { attempts: 2, delaySeconds: 60 },
      },
      {
        action: 'EXPORT_DOMAIN',
        devices: 'TEST8, TEST9',
        domains: 'DOMAIN*',
        quiesce: false,
        preTaskScript: null,
        postTaskScript: null,
        errorPolicy: 'plan',
        retry: { attempts: 0, delaySeconds: 60 },
      },
    ]);
  });

  it('is shown as it was given, so that what is exported can be applied again', () => {
    const shown = planFields(planFrom(full));
    expect(shown).toEqual(full);
    expect(definitionOf(shown)).toEqual(full);
    const asFound = { scheduleRead: null, nextFireAts: [], leftOutFires: [], lastRun: null };
    expect(planShape.safeParse({ ...shown, ...asFound }).success).toBe(true);
  });

  it('that says nothing has the defaults of the contract', () => {
    const bare = definitionOf({});
    expect(planFields(planFrom(bare))).toEqual(bare);
    expect(bare).toMatchObject({ enabled: true, window: 'default', activities: [] });
  });
});

describe('a post-task script', () => {
  it('that is only a name runs always', () => {
    const activity = { exportDomain: { devices: 'QA1', domains: 'A', postTaskScript: 'post.sh' } };
    const [kept] = planFrom(definitionOf({ activities: [activity] })).activities;
    expect(kept?.postTaskScript).toEqual({ script: 'post.sh', when: 'always' });
  });
});

it('an activity that is neither is a mistake of ours', () => {
  expect(() => planFrom({ ...full, activities: [{}] })).toThrow('neither');
});
