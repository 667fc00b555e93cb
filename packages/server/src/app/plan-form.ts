import type { ActivityDefinition, Activity as ActivityShown, PlanDefinition } from '@stillpoint/contract';
import type { Activity, Plan } from '@stillpoint/core';

/** A plan of the contract in the words of core. */
export function planFrom(definition: PlanDefinition): Plan {
  const { enabled, activities, ...rest } = definition;
  return { ...rest, isEnabled: enabled, activities: activities.map(activityFrom) };
}

/** A plan of core as clients see it. */
export function planFields(plan: Plan): Omit<PlanDefinition, 'activities' | 'window'> & {
  window: 'default' | 'none' | string[];
  activities: ActivityShown[];
} {
  const { isEnabled, activities, window, blackoutDates, ...rest } = plan;
  return {
    ...rest,
    enabled: isEnabled,
    window: typeof window === 'string' ? window : [...window],
    blackoutDates: [...blackoutDates],
    activities: activities.map(activityShown),
  };
}

function activityFrom({ secureBackup, exportDomain }: ActivityDefinition): Activity {
  const given = secureBackup ?? exportDomain;
  if (given === undefined) throw new Error('The contract lets no activity through that is neither.');
  const { postTaskScript } = given;
  const common = {
    devices: given.devices,
    quiesce: given.quiesce,
    preTaskScript: given.preTaskScript,
    postTaskScript:
      typeof postTaskScript === 'string'
        ? ({ script: postTaskScript, when: 'always' } as const)
        : postTaskScript,
    errorPolicy: given.errorPolicy,
    retry: given.retry,
  };
  if (exportDomain !== undefined)
    return { ...common, action: 'EXPORT_DOMAIN', domains: exportDomain.domains };
  const { certificate, includeIscsi, includeRaid } = secureBackup as NonNullable<typeof secureBackup>;
  return {
    ...common,
    action: 'SECURE_BACKUP',
    certificate,
    includesIscsi: includeIscsi,
    includesRaid: includeRaid,
  };
}

function activityShown(activity: Activity): ActivityShown {
  const { devices, quiesce, preTaskScript, postTaskScript, errorPolicy, retry } = activity;
  const common = { devices, quiesce, preTaskScript, postTaskScript, errorPolicy, retry };
  if (activity.action === 'EXPORT_DOMAIN') return { exportDomain: { ...common, domains: activity.domains } };
  const { certificate, includesIscsi, includesRaid } = activity;
  return { secureBackup: { ...common, certificate, includeIscsi: includesIscsi, includeRaid: includesRaid } };
}
