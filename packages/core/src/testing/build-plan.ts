import type { Inventory, KnownDevice } from '../plan/expand-plan.ts';
import { type Activity, NO_RETRY, type Plan } from '../plan/plan.ts';

const common = {
  quiesce: false,
  preTaskScript: null,
  postTaskScript: null,
  errorPolicy: 'plan',
  retry: NO_RETRY,
} as const;

type SecureBackup = Extract<Activity, { action: 'SECURE_BACKUP' }>;
type ExportDomain = Extract<Activity, { action: 'EXPORT_DOMAIN' }>;

/** A secure backup of the devices that a pattern matches. */
export function secureBackupOf(devices: string, more: Partial<SecureBackup> = {}): SecureBackup {
  const special = { certificate: 'dr-cert', includesIscsi: false, includesRaid: false };
  return { ...common, action: 'SECURE_BACKUP', devices, ...special, ...more };
}

/** An export of the domains that a pattern matches, on the devices that another matches. */
export function exportOf(devices: string, domains: string, more: Partial<ExportDomain> = {}): ExportDomain {
  return { ...common, action: 'EXPORT_DOMAIN', devices, domains, ...more };
}

/** An enabled plan without schedule, window or scripts. */
export function planOf(activities: readonly Activity[], more: Partial<Omit<Plan, 'activities'>> = {}): Plan {
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
    activities,
    ...more,
  };
}

/** An enabled device. */
export function deviceOf(name: string, tags: Readonly<Record<string, string>> = {}): KnownDevice {
  return { name, tags, isEnabled: true };
}

/** What a device answers that has these domains, none of them of API Connect. */
export function domainsAnswer(...names: string[]): Inventory {
  return { isAvailable: true, domains: names.map((name) => ({ name, isApiConnect: false })) };
}
