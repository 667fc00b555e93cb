import type { Refusal } from '../refusal.ts';
import { parseSchedule } from '../schedule/schedule.ts';
import { isTimezone, parseBlackout, parseTimeframe } from '../window/window.ts';
import { parsePattern } from './pattern.ts';
import type { Activity, Plan } from './plan.ts';

/**
 * All that is wrong with a plan, at once; empty when it can be kept.
 * `now` is milliseconds since the epoch; `timezone` is the zone of plans that name none.
 */
export function validatePlan(plan: Plan, timezone: string, now: number): readonly Refusal[] {
  const refusals: Refusal[] = [];
  if (plan.isEnabled && plan.activities.length === 0) {
    refusals.push({
      kind: 'PLAN_INVALID',
      path: ['activities'],
      detail: `The plan "${plan.name}" is enabled but has no activity; add one or disable the plan.`,
    });
  }
  const hasZone = plan.timezone === null || isTimezone(plan.timezone);
  if (!hasZone) {
    refusals.push({
      kind: 'TIMEZONE_UNKNOWN',
      path: ['timezone'],
      detail: `The time zone "${plan.timezone}" is unknown; write a name such as Europe/Zurich.`,
    });
  }
  if (plan.schedule !== null && hasZone) {
    const schedule = parseSchedule(plan.schedule, plan.timezone ?? timezone, now);
    if ('kind' in schedule) refusals.push({ ...schedule, path: ['schedule'] });
  }
  refusals.push(...validateTimes(plan));
  for (const field of ['prePlanScript', 'postPlanScript'] as const) {
    refusals.push(...validateScriptName(plan[field], [field]));
  }
  plan.activities.forEach((activity, index) => {
    refusals.push(...validateActivity(activity, ['activities', index]));
  });
  return refusals;
}

function validateTimes(plan: Plan): Refusal[] {
  const refusals: Refusal[] = [];
  if (typeof plan.window !== 'string') {
    if (plan.window.length === 0) {
      const detail = 'A list of windows needs at least one HH:MM-HH:MM; write "none" for always.';
      refusals.push({ kind: 'TIMEFRAME_INVALID', path: ['window'], detail });
    }
    plan.window.forEach((text, index) => {
      const frame = parseTimeframe(text);
      if ('kind' in frame)
        refusals.push({ kind: 'TIMEFRAME_INVALID', path: ['window', index], detail: frame.detail });
    });
  }
  plan.blackoutDates.forEach((text, index) => {
    const days = parseBlackout(text);
    if ('kind' in days) {
      refusals.push({ kind: 'BLACKOUT_INVALID', path: ['blackoutDates', index], detail: days.detail });
    }
  });
  return refusals;
}

function validateActivity(activity: Activity, path: readonly (string | number)[]): Refusal[] {
  const refusals = validatePattern(activity.devices, [...path, 'devices']);
  if (activity.action === 'EXPORT_DOMAIN') {
    refusals.push(...validatePattern(activity.domains, [...path, 'domains']));
  }
  if (activity.action === 'SECURE_BACKUP' && activity.certificate.trim() === '') {
    refusals.push({
      kind: 'PLAN_INVALID',
      path: [...path, 'certificate'],
      detail: 'A secure backup needs the name of a crypto certificate object.',
    });
  }
  refusals.push(...validateScriptName(activity.preTaskScript, [...path, 'preTaskScript']));
  refusals.push(
    ...validateScriptName(activity.postTaskScript?.script ?? null, [...path, 'postTaskScript', 'script']),
  );
  return refusals;
}

function validatePattern(text: string, path: readonly (string | number)[]): Refusal[] {
  const pattern = parsePattern(text);
  return 'kind' in pattern ? [{ ...pattern, path }] : [];
}

/** Only a file directly inside the scripts folder can be named, so a name holds no separator and is no dot name. */
function validateScriptName(name: string | null, path: readonly (string | number)[]): Refusal[] {
  if (name === null || /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,254}$/.test(name)) return [];
  return [
    {
      kind: 'SCRIPT_NAME_INVALID',
      path,
      detail: `The script "${name}" is not the plain name of a file in the scripts folder: up to 255 letters, digits, "_", "-" and, not at the beginning, ".".`,
    },
  ];
}
