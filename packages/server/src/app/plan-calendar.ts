import type { PlanCalendar } from '@stillpoint/contract';
import {
  devicesOfPlan,
  isWindowOpen,
  type KnownDevice,
  nextFire,
  type Parameters,
  type Plan,
  parseSchedule,
  planWindow,
  type Schedule,
} from '@stillpoint/core';

/** What a calendar is made from. */
export type CalendarFacts = {
  readonly plans: readonly Plan[];
  readonly devices: readonly KnownDevice[];
  readonly parameters: Parameters;
  readonly hostTimezone: string;
  /** How long the last run of each plan took, in milliseconds. */
  readonly durationsMs: ReadonlyMap<string, number>;
};

/** A plan that fires every second must not hide the others, nor fill the answer. */
const MOST_FIRES_OF_A_PLAN = 200;
const MOST_FIRES = 2_000;

type Fire = PlanCalendar['fires'][number];

/** A plan with its next fire that is not listed yet. */
type Coming = {
  readonly plan: Plan;
  readonly schedule: Schedule;
  readonly window: ReturnType<typeof planWindow>;
  readonly devices: ReadonlySet<string>;
  nextAt: number | null;
  count: number;
  /** When its last listed fire is over, by the last run. */
  busyUntil: number;
};

/** The fires of all enabled plans after `from` and before `until`, soonest first; bounded, and says so where it ends early. */
export function planCalendar(facts: CalendarFacts, from: number, until: number): PlanCalendar {
  const coming = facts.plans.flatMap((plan) => comingOf(plan, facts, from));
  const fires: Fire[] = [];
  const notes: string[] = [];
  for (;;) {
    const next = soonest(coming, until);
    if (next === null) break;
    if (fires.length === MOST_FIRES) {
      notes.push(`Only the first ${MOST_FIRES} fires are listed; ask for fewer days.`);
      break;
    }
    fires.push(fireOf(next, coming, facts));
    next.count += 1;
    if (next.count < MOST_FIRES_OF_A_PLAN) {
      goOn(next, next.nextAt);
      continue;
    }
    const lastAt = new Date(next.nextAt).toISOString();
    notes.push(`Of plan "${next.plan.name}" only the first ${next.count} fires are listed, until ${lastAt}.`);
    stop(next);
  }
  return { from: new Date(from).toISOString(), until: new Date(until).toISOString(), fires, notes };
}

function goOn(coming: Coming, at: number): void {
  coming.nextAt = nextFire(coming.schedule, at);
}

function stop(coming: Coming): void {
  coming.nextAt = null;
}

function comingOf(plan: Plan, facts: CalendarFacts, from: number): Coming[] {
  if (!plan.isEnabled || plan.schedule === null) return [];
  const zone = plan.timezone ?? facts.parameters.timezone ?? facts.hostTimezone;
  const schedule = parseSchedule(plan.schedule, zone, from);
  if ('kind' in schedule) return [];
  const window = planWindow(plan, facts.parameters, facts.hostTimezone);
  const devices = new Set(devicesOfPlan(plan, facts.devices));
  const nextAt = nextFire(schedule, from);
  return [{ plan, schedule, window, devices, nextAt, count: 0, busyUntil: 0 }];
}

function soonest(coming: readonly Coming[], until: number): (Coming & { nextAt: number }) | null {
  let found: Coming | null = null;
  for (const one of coming) {
    if (one.nextAt === null || one.nextAt >= until) continue;
    if (found === null || one.nextAt < (found.nextAt ?? 0)) found = one;
  }
  return found as (Coming & { nextAt: number }) | null;
}

/** Notes as well how long the fire keeps its devices busy, if it is not skipped. */
function fireOf(
  next: Coming & { nextAt: number },
  coming: readonly Coming[],
  { parameters, durationsMs }: CalendarFacts,
): Fire {
  const at = next.nextAt;
  const sentence = skipSentence(next, parameters, at);
  const overlaps = coming
    .filter((other) => other.busyUntil > at && sharesDevice(other, next))
    .map(({ plan }) => plan.name);
  // Two fires of one instant overlap also when nothing is known of their length.
  if (sentence === null) next.busyUntil = at + Math.max(durationsMs.get(next.plan.name) ?? 0, 1);
  return {
    at: new Date(at).toISOString(),
    plan: next.plan.name,
    isWindowOpen: !('kind' in next.window) && isWindowOpen(next.window, at),
    sentence,
    overlaps,
  };
}

function sharesDevice(one: Coming, other: Coming): boolean {
  const [few, many] = one.devices.size < other.devices.size ? [one, other] : [other, one];
  return [...few.devices].some((device) => many.devices.has(device));
}

function skipSentence({ plan, window }: Coming, parameters: Parameters, at: number): string | null {
  if (!parameters['backups.enabled']) return 'Would be skipped: backups are switched off.';
  if ('kind' in window) return `Would fail: ${window.detail}`;
  if (isWindowOpen(window, at)) return null;
  const isBlackout = isWindowOpen({ ...window, blackoutDays: [] }, at);
  return isBlackout
    ? `Would be skipped: it is a blackout date of ${plan.name} (${window.timezone}).`
    : `Would be skipped: the window of ${plan.name} is closed then (${window.timezone}).`;
}
