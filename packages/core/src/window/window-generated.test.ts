import { describe, expect, it } from 'vitest';
import { isWindowOpen, type MaintenanceWindow, type Timeframe } from './window.ts';
import { nextWindowOpening, windowClosesAt } from './window-changes.ts';

const CASES = 100_000;
/** Of so many cases one is asked for its changes too, which takes longer. */
const CHANGES_OF = 5;
const SPAN_MINUTES = 5 * 1440;

/** What the clock of a zone shows in each minute of five days, read minute by minute. */
type Span = {
  readonly timezone: string;
  readonly startMs: number;
  readonly days: string[];
  readonly minutes: number[];
};

/** Zones with the middle of five days: ordinary ones, and such in which the clock is put forward or back. */
const middles: readonly (readonly [string, string])[] = [
  ['UTC', '2026-05-01T00:00:00Z'],
  ['Europe/Zurich', '2026-03-29T01:00:00Z'],
  ['Europe/Zurich', '2026-10-25T01:00:00Z'],
  ['America/New_York', '2026-03-08T07:00:00Z'],
  ['America/New_York', '2026-11-01T06:00:00Z'],
  ['Australia/Lord_Howe', '2026-10-03T15:30:00Z'],
  ['Australia/Lord_Howe', '2026-04-04T15:00:00Z'],
  ['Africa/Cairo', '2026-04-23T22:00:00Z'],
  ['Africa/Cairo', '2026-10-29T21:00:00Z'],
  ['America/Havana', '2026-03-08T05:00:00Z'],
  ['Asia/Kathmandu', '2028-02-29T00:00:00Z'],
];

function spanAround(timezone: string, middle: string): Span {
  const startMs = Date.parse(middle) - (SPAN_MINUTES / 2) * 60_000;
  const clock = new Intl.DateTimeFormat('sv-SE', {
    timeZone: timezone,
    dateStyle: 'short',
    timeStyle: 'short',
  });
  const days: string[] = [];
  const minutes: number[] = [];
  for (let minute = 0; minute < SPAN_MINUTES; minute++) {
    const [day = '', time = ''] = clock.format(startMs + minute * 60_000).split(' ');
    const [hour, past] = time.split(':').map(Number);
    days.push(day);
    minutes.push((hour ?? 0) * 60 + (past ?? 0));
  }
  return { timezone, startMs, days, minutes };
}

/** Whether a window is open in each minute of the span, as plain as can be. */
function openMinutes(
  { timeframes, blackoutDays }: MaintenanceWindow,
  span: Span,
): (index: number) => boolean {
  const inTimeframes = new Uint8Array(1440).fill(timeframes === null ? 1 : 0);
  for (const { fromMinute, toMinute } of timeframes ?? []) {
    for (let minute = fromMinute; minute !== toMinute; minute = (minute + 1) % 1440) inTimeframes[minute] = 1;
  }
  return (index) => {
    const day = span.days[index] ?? '';
    for (const { first, last } of blackoutDays) if (day >= first && day <= last) return false;
    return inTimeframes[span.minutes[index] ?? 0] === 1;
  };
}

/** Numbers from 0 up to, and without, a bound: always the same ones (a linear congruence). */
function chance(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function anyWindow(span: Span, below: (bound: number) => number): MaintenanceWindow {
  const timeframes: Timeframe[] = [];
  for (let count = below(4); count > 0; count--) {
    const fromMinute = below(1440);
    // Short ones near the change of the clock as well as any.
    const length = 1 + (below(2) === 0 ? below(90) : below(1438));
    timeframes.push({ fromMinute, toMinute: (fromMinute + length) % 1440 });
  }
  const blackoutDays: { first: string; last: string }[] = [];
  for (let count = Math.max(0, below(5) - 2); count > 0; count--) {
    const days = [below(SPAN_MINUTES), below(SPAN_MINUTES)].map((minute) => span.days[minute] ?? '').sort();
    blackoutDays.push({ first: days[0] ?? '', last: (below(2) === 0 ? days[0] : days[1]) ?? '' });
  }
  return { timeframes: timeframes.length === 0 ? null : timeframes, blackoutDays, timezone: span.timezone };
}

/** The first instant from `atMs` on at which the window is open, or closed; the span's end when there is none in it. */
function firstInSpan(span: Span, atMs: number, isWanted: (index: number) => boolean): number {
  const from = Math.floor((atMs - span.startMs) / 60_000);
  for (let index = from; index < SPAN_MINUTES; index++) {
    if (isWanted(index)) return index === from ? atMs : span.startMs + index * 60_000;
  }
  return span.startMs + SPAN_MINUTES * 60_000;
}

describe('generated windows', () => {
  it('open and close when a clock that is read minute by minute says so', () => {
    const below = chance(20_260_329);
    const spans = middles.map(([timezone, middle]) => spanAround(timezone, middle));
    const differing: unknown[] = [];
    let changes = 0;
    let open = 0;
    for (let index = 0; index < CASES; index++) {
      const span = spans[below(spans.length)] ?? spanAround('UTC', '2026-01-01T00:00:00Z');
      const window = anyWindow(span, below);
      const atMs = span.startMs + below(SPAN_MINUTES) * 60_000 + below(60_000);
      const isOpenInMinute = openMinutes(window, span);
      const isOpen = isOpenInMinute(Math.floor((atMs - span.startMs) / 60_000));
      if (isOpen) open += 1;
      if (isWindowOpen(window, atMs) !== isOpen) differing.push({ window, atMs, isOpen });
      if (index % CHANGES_OF !== 0) continue;
      changes += 1;
      const spanEndMs = span.startMs + SPAN_MINUTES * 60_000;
      const found = isOpen ? windowClosesAt(window, atMs) : nextWindowOpening(window, atMs);
      const expected = firstInSpan(span, atMs, (minute) => isOpenInMinute(minute) !== isOpen);
      if (Math.min(found ?? spanEndMs, spanEndMs) !== expected)
        differing.push({ window, atMs, found, expected });
    }
    console.log(`windows: ${CASES} generated cases (${open} open), ${changes} openings and closings`);
    expect(differing.slice(0, 5)).toEqual([]);
  });
});
