import { type Activity, NO_RETRY, type Plan } from '@stillpoint/core';

type ExportDomain = Extract<Activity, { action: 'EXPORT_DOMAIN' }>;

/** For tests: an export of the domains that match `DOMAIN*` on the devices that match `QA*`. */
export const sampleActivity: ExportDomain = {
  action: 'EXPORT_DOMAIN',
  devices: 'QA*',
  domains: 'DOMAIN*',
  quiesce: false,
  preTaskScript: null,
  postTaskScript: null,
  errorPolicy: 'plan',
  retry: NO_RETRY,
};

/** For tests: an enabled plan that runs at any time and has one activity. */
export function samplePlan(more: Partial<Plan> = {}): Plan {
  return {
    name: 'nightly',
    description: '',
    isEnabled: true,
    schedule: null,
    timezone: null,
    window: 'none',
    blackoutDates: [],
    missedRuns: 'once',
    overlap: 'skip',
    defaultErrorPolicy: 'halt',
    prePlanScript: null,
    postPlanScript: null,
    notify: { email: null, syslog: null, webhook: null },
    activities: [sampleActivity],
    ...more,
  };
}
