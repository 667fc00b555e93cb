import { expect, test } from 'vitest';
import { exportOf, planOf } from '../testing/build-plan.ts';
import { completePlan, type KeptPlan } from './plan.ts';

test('a plan that was kept before plans had all their fields gets the defaults of those, and only of those', () => {
  const { missedRuns: _, overlap: _1, notify: _2, activities, ...before } = planOf([exportOf('QA*', '*')]);
  const kept: KeptPlan = { ...before, activities: activities.map(({ retry: _3, ...activity }) => activity) };
  expect(completePlan(kept)).toEqual(planOf([exportOf('QA*', '*')]));
  const own = planOf([exportOf('QA*', '*', { retry: { attempts: 3, delaySeconds: 5 } })], {
    missedRuns: 'skip',
    overlap: 'queue',
    notify: { email: 'always', syslog: null, webhook: null },
  });
  expect(completePlan(own)).toEqual(own);
});
