import type { PlanPreview } from '@stillpoint/contract';
import {
  isWindowOpen,
  nextWindowOpening,
  type Parameters,
  type Plan,
  planWindow,
  windowClosesAt,
} from '@stillpoint/core';

/** How a run that begins at `at` and takes `durationMs` (null: unknown) fits its window; null for one that cannot be read. */
export function windowFit(
  plan: Plan,
  parameters: Parameters,
  hostTimezone: string,
  at: number,
  durationMs: number | null,
): PlanPreview['window'] {
  const window = planWindow(plan, parameters, hostTimezone);
  if ('kind' in window) return null;
  const { timezone } = window;
  if (!isWindowOpen(window, at)) {
    const opensAt = instantOf(nextWindowOpening(window, at));
    const sentence =
      opensAt === null
        ? 'The window is closed and never opens.'
        : `The window is closed; it opens at ${opensAt}.`;
    return { isOpen: false, timezone, opensAt, closesAt: null, isLongEnough: null, sentence };
  }
  const closes = windowClosesAt(window, at);
  const closesAt = instantOf(closes);
  const isLongEnough = closes === null ? true : durationMs === null ? null : at + durationMs <= closes;
  return {
    isOpen: true,
    timezone,
    opensAt: null,
    closesAt,
    isLongEnough,
    sentence: `${openSentence(closesAt)}${lengthSentence(durationMs, isLongEnough)}`,
  };
}

const instantOf = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());

function openSentence(closesAt: string | null): string {
  return closesAt === null
    ? 'The window is open and does not close.'
    : `The window is open until ${closesAt}; what waits then is cancelled.`;
}

function lengthSentence(durationMs: number | null, isLongEnough: boolean | null): string {
  if (durationMs === null) return ' How long the run takes is not known.';
  const minutes = Math.ceil(durationMs / 60_000);
  const length = ` By earlier backups the run takes ${minutes} min at least`;
  return isLongEnough === false ? `${length}, which is too long.` : `${length}.`;
}
