import type { Parameters } from '../parameters/parameters.ts';
import type { Plan } from '../plan/plan.ts';
import {
  isTimezone,
  type MaintenanceWindow,
  parseBlackout,
  parseTimeframes,
  parseWindowText,
  type WindowRefusal,
} from './window.ts';

/** The window that a plan's tasks obey, from the plan and the parameters in force; a refusal when a text cannot be read. */
export function planWindow(
  plan: Pick<Plan, 'window' | 'timezone' | 'blackoutDates'>,
  parameters: Pick<Parameters, 'window.default' | 'timezone'>,
  hostTimezone: string,
): MaintenanceWindow | WindowRefusal {
  const timezone = plan.timezone ?? parameters.timezone ?? hostTimezone;
  if (!isTimezone(timezone)) {
    return { kind: 'TIMEZONE_UNKNOWN', detail: `The time zone "${timezone}" is unknown.` };
  }
  const text = plan.window === 'default' ? parameters['window.default'] : plan.window;
  const read = typeof text === 'string' ? parseWindowText(text) : parseTimeframes(text);
  if ('kind' in read) return read;
  const blackoutDays: { first: string; last: string }[] = [];
  for (const date of plan.blackoutDates) {
    const days = parseBlackout(date);
    if ('kind' in days) return days;
    blackoutDays.push(days);
  }
  return { timeframes: read.timeframes, blackoutDays, timezone };
}
