import { beforeEach, expect, test } from 'vitest';
import { elapsedOf, readSparingly, systemClock } from './system-clock.ts';

let monotonicMs: number;
let uptimeMs: number;

beforeEach(() => {
  monotonicMs = 700;
  uptimeMs = 3_600_000;
});

const elapsedOfBoth = () => elapsedOf({ monotonicMs: () => monotonicMs, uptimeMs: () => uptimeMs });

function pass(monotonic: number, uptime: number): void {
  monotonicMs += monotonic;
  uptimeMs += uptime;
}

test('time that both clocks count is counted once', () => {
  const elapsed = elapsedOfBoth();
  const before = elapsed();
  for (let times = 0; times < 100; times += 1) pass(50, 50);
  expect(elapsed() - before).toBe(5_000);
});

test('the time in which the machine was suspended is counted', () => {
  const elapsed = elapsedOfBoth();
  const before = elapsed();
  pass(1_000, 1_000 + 7_200_000);
  expect(elapsed() - before).toBe(7_201_000);
  pass(2_000, 2_000);
  expect(elapsed() - before).toBe(7_203_000);
  pass(0, 600_000);
  expect(elapsed() - before).toBe(7_803_000);
});

test('an uptime that stands still or is put back holds up nothing', () => {
  const elapsed = elapsedOfBoth();
  const before = elapsed();
  pass(1_000, 0);
  expect(elapsed() - before).toBe(1_000);
  pass(1_000, 500_000);
  pass(1_000, -600_000);
  const middle = elapsed();
  pass(4_000, 0);
  expect(elapsed() - middle).toBe(4_000);
});

test('an uptime that is read in coarse steps adds no more than one step', () => {
  const elapsed = elapsedOfBoth();
  const before = elapsed();
  let steps = 0;
  for (let times = 0; times < 10_000; times += 1) {
    pass(1, 0);
    if (times % 10 === 9) pass(0, 10);
    steps = elapsed() - before;
  }
  expect(steps).toBeGreaterThanOrEqual(10_000);
  expect(steps).toBeLessThanOrEqual(10_010);
});

test('an uptime is read once a second, and at once when the time of day shows that the machine was suspended', () => {
  let reads = 0;
  let timeOfDayMs = 1_000_000;
  const read = readSparingly({
    monotonicMs: () => monotonicMs,
    uptimeMs: () => {
      reads += 1;
      return uptimeMs;
    },
    timeOfDayMs: () => timeOfDayMs,
  });
  for (let times = 0; times < 500; times += 1) {
    expect(read()).toBe(uptimeMs);
    pass(5, 5);
    timeOfDayMs += 5;
  }
  expect(reads).toBe(3);
  pass(1, 7_200_001);
  timeOfDayMs += 7_200_001;
  expect(read()).toBe(uptimeMs);
  expect(reads).toBe(4);
});

test('the clock of this machine never goes back', () => {
  let last = systemClock.elapsed();
  for (let times = 0; times < 10_000; times += 1) {
    const next = systemClock.elapsed();
    expect(next).toBeGreaterThanOrEqual(last);
    last = next;
  }
});
