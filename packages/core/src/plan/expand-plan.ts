import { type Reason, reasonOf } from '../reason.ts';
import { matchesPattern, type Named, type Pattern, parsePattern } from './pattern.ts';
import { type Action, type Activity, ALL_DOMAINS, domainsOf, type ErrorPolicy, type Plan } from './plan.ts';

/** A device as patterns see it. */
export type KnownDevice = Named & { readonly isEnabled: boolean };

/** What a device answered when it was asked for its domains. */
export type Inventory =
  | {
      readonly isAvailable: true;
      readonly domains: readonly { readonly name: string; readonly isApiConnect: boolean }[];
    }
  | { readonly isAvailable: false; readonly detail: string };

/**
 * A task before it is queued. `domain` is null for a secure backup, otherwise a domain, or a pattern when skipped.
 * `isAllDomains` tells the keyword from a domain that really bears the name `all-domains`.
 */
export type TaskDraft = {
  readonly activityIndex: number;
  readonly action: Action;
  readonly device: string;
  readonly domain: string | null;
  readonly isAllDomains: boolean;
  readonly errorPolicy: ErrorPolicy;
  readonly skipped: Reason | null;
};

/** The devices, in the order of their tasks, that the plan's activities match. */
export function devicesOfPlan(plan: Plan, devices: readonly KnownDevice[]): readonly string[] {
  const names = plan.activities.flatMap((activity) => matchDevices(activity, devices));
  return [...new Set(names)];
}

/** Whether an activity would export this one domain of the device, so that it matters whose it is. */
export function wantsDomain(plan: Plan, device: KnownDevice, domain: string): boolean {
  return plan.activities.some((activity) => {
    const domains = domainsOf(activity);
    if (domains === null || domains === ALL_DOMAINS) return false;
    return (
      matchDevices(activity, [device]).length > 0 && matchesPattern(patternOf(domains), { name: domain })
    );
  });
}

/**
 * The tasks of a run, in the order in which they start: activity by activity, device by device, domain by domain.
 * `inventories` holds an answer for every device of {@link devicesOfPlan}.
 */
export function expandPlan(
  plan: Plan,
  devices: readonly KnownDevice[],
  inventories: ReadonlyMap<string, Inventory>,
): readonly TaskDraft[] {
  return plan.activities.flatMap((activity, activityIndex) => {
    const domains = domainsOf(activity);
    const base = {
      activityIndex,
      action: activity.action,
      errorPolicy: activity.errorPolicy === 'plan' ? plan.defaultErrorPolicy : activity.errorPolicy,
      isAllDomains: domains === ALL_DOMAINS,
      skipped: null,
    };
    const matched = matchDevices(activity, devices);
    if (matched.length === 0) {
      const skipped = reasonOf(
        'SKIPPED_NO_DEVICES_MATCHING_PATTERN',
        `No enabled device matches "${activity.devices}".`,
      );
      return [{ ...base, device: activity.devices, domain: domains, skipped }];
    }
    return matched.flatMap((device) => {
      const inventory = inventories.get(device) ?? { isAvailable: false, detail: 'It was not asked.' };
      return expandDevice(domains, device, inventory).map((part) => ({ ...base, device, ...part }));
    });
  });
}

function expandDevice(
  domains: string | null,
  device: string,
  inventory: Inventory,
): readonly { domain: string | null; skipped: Reason | null }[] {
  if (!inventory.isAvailable) {
    const detail = `The device ${device} is not available: ${inventory.detail}`;
    return [{ domain: domains, skipped: reasonOf('SKIPPED_DEVICE_NOT_AVAILABLE', detail) }];
  }
  if (domains === null || domains === ALL_DOMAINS) return [{ domain: domains, skipped: null }];
  const pattern = patternOf(domains);
  const matched = inventory.domains.filter((domain) => matchesPattern(pattern, domain));
  if (matched.length === 0) {
    const detail = `No domain of ${device} matches "${domains}".`;
    return [{ domain: domains, skipped: reasonOf('SKIPPED_NO_DOMAINS_MATCHING_PATTERN', detail) }];
  }
  return matched.toSorted(byName).map(({ name, isApiConnect }) => ({
    domain: name,
    skipped: isApiConnect
      ? reasonOf('SKIPPED_APIC_DOMAIN', `The domain ${name} of ${device} belongs to API Connect.`)
      : null,
  }));
}

function matchDevices(activity: Activity, devices: readonly KnownDevice[]): readonly string[] {
  const pattern = patternOf(activity.devices);
  return devices
    .filter((device) => device.isEnabled && matchesPattern(pattern, device))
    .toSorted(byName)
    .map(({ name }) => name);
}

/** A kept plan was validated, so its patterns can be read. */
function patternOf(text: string): Pattern {
  const pattern = parsePattern(text);
  if ('kind' in pattern) throw new Error(pattern.detail);
  return pattern;
}

/** QA2 before QA10, and the same order on every machine. */
const collator = new Intl.Collator('en', { numeric: true });

function byName(a: Named, b: Named): number {
  return collator.compare(a.name, b.name) || (a.name < b.name ? -1 : 1);
}
