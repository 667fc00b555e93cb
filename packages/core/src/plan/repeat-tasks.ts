import { type Reason, reasonOf } from '../reason.ts';
import { expandPlan, type Inventory, type KnownDevice, type TaskDraft } from './expand-plan.ts';
import type { Plan } from './plan.ts';

/**
 * A task of an earlier run that is to be done again. Without known domains the device had not answered then, and the
 * pattern of the activity is expanded for it now.
 */
export type TaskToRepeat = {
  readonly activityIndex: number;
  readonly device: string;
  /** Null for a secure backup. */
  readonly domain: string | null;
  readonly isDomainKnown: boolean;
};

/** The devices that a run asks for their domains: those of its plan, or, when it repeats tasks, of these alone. */
export function devicesToAsk<Device extends KnownDevice>(
  devices: readonly Device[],
  only: readonly TaskToRepeat[] | null,
): readonly Device[] {
  if (only === null) return devices;
  const wanted = new Set(only.map(({ device }) => device));
  return devices.filter(({ name }) => wanted.has(name));
}

/**
 * The tasks of a run that repeats some of an earlier one, in the order of the plan. What is not there any more is
 * skipped, so that each task which is to be repeated is answered for.
 */
export function repeatTasks(
  plan: Plan,
  devices: readonly KnownDevice[],
  inventories: ReadonlyMap<string, Inventory>,
  only: readonly TaskToRepeat[],
): readonly TaskDraft[] {
  const wanted = Map.groupBy(only, placeOf);
  const found = new Set<TaskToRepeat>();
  const drafts = expandPlan(plan, devicesToAsk(devices, only), inventories).filter((draft) => {
    const meant = (wanted.get(placeOf(draft)) ?? []).filter((task) => isRepeatedBy(task, draft));
    for (const task of meant) found.add(task);
    return meant.length > 0;
  });
  const lost = only.filter((task) => !found.has(task)).map((task) => lostDraft(plan, devices, task));
  return [...drafts, ...lost].toSorted((a, b) => a.activityIndex - b.activityIndex);
}

/** A device that does not answer now has one draft for all that was to be repeated on it. */
function isRepeatedBy(task: TaskToRepeat, draft: TaskDraft): boolean {
  const isUnanswered = draft.skipped?.code === 'SKIPPED_DEVICE_NOT_AVAILABLE';
  return isUnanswered || !task.isDomainKnown || task.domain === draft.domain;
}

function lostDraft(plan: Plan, devices: readonly KnownDevice[], task: TaskToRepeat): TaskDraft {
  const { activityIndex, device, domain } = task;
  const activity = plan.activities[activityIndex];
  if (activity === undefined) throw new Error(`The plan has no activity ${activityIndex}.`);
  const isThere = devices.some(({ name, isEnabled }) => name === device && isEnabled);
  return {
    activityIndex,
    action: activity.action,
    device,
    domain,
    isAllDomains: false,
    errorPolicy: activity.errorPolicy === 'plan' ? plan.defaultErrorPolicy : activity.errorPolicy,
    skipped: isThere ? domainLost(task) : deviceLost(task, activity.devices),
  };
}

function deviceLost({ device }: TaskToRepeat, pattern: string): Reason {
  const detail = `${device}, whose task was to be repeated, is no enabled device that matches "${pattern}".`;
  return reasonOf('SKIPPED_NO_DEVICES_MATCHING_PATTERN', detail);
}

function domainLost({ device, domain }: TaskToRepeat): Reason {
  const detail = `The domain ${domain ?? ''} of ${device}, whose task was to be repeated, is not there any more.`;
  return reasonOf('SKIPPED_NO_DOMAINS_MATCHING_PATTERN', detail);
}

function placeOf({ activityIndex, device }: { activityIndex: number; device: string }): string {
  return `${activityIndex} ${device}`;
}
