import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Permission, permittedUntil, type Until } from './permission.ts';

let clock: { -readonly [Name in keyof Until]: number };
const clocks = (): Until => ({ ...clock });

beforeEach(() => {
  vi.useFakeTimers();
  clock = { monotonicMs: 1_000_000, uptimeMs: 1_000_000 };
});

afterEach(() => {
  vi.useRealTimers();
});

const inFiveSeconds = (): Until | null => permittedUntil(() => 5_000, clocks);

test('a server that may not act permits nothing', () => {
  expect(permittedUntil(() => 0, clocks)).toBeNull();
  expect(permittedUntil(() => -1, clocks)).toBeNull();
});

test('a server that stands still while it says how long, gives less and not more', () => {
  const until = permittedUntil(() => {
    clock.monotonicMs += 60_000;
    return 5_000;
  }, clocks);
  expect(until?.monotonicMs).toBe(1_005_000);
  using permission = new Permission(until, clocks);
  expect(permission.holds()).toBe(false);
});

test.each(['monotonicMs', 'uptimeMs'] as const)(
  'a permission runs out on the clock %s alone, and ends what goes on',
  (name) => {
    using permission = new Permission(inFiveSeconds(), clocks);
    clock[name] += 4_999;
    vi.advanceTimersByTime(1_000);
    expect(permission.holds()).toBe(true);
    expect(permission.signal.aborted).toBe(false);
    clock[name] += 1;
    vi.advanceTimersByTime(1_000);
    expect(permission.signal.aborted).toBe(true);
    expect(permission.holds()).toBe(false);
  },
);

test('a permission that is renewed in time goes on', () => {
  using permission = new Permission(inFiveSeconds(), clocks);
  for (let times = 0; times < 10; times += 1) {
    clock.monotonicMs += 4_000;
    clock.uptimeMs += 4_000;
    vi.advanceTimersByTime(4_000);
    expect(permission.holds()).toBe(true);
    const until = inFiveSeconds();
    if (until !== null) permission.extend(until);
  }
});

test('a permission that was seen to have run out does not come back', () => {
  using permission = new Permission(inFiveSeconds(), clocks);
  clock.monotonicMs += 5_000;
  expect(permission.holds()).toBe(false);
  const until = inFiveSeconds();
  if (until !== null) permission.extend(until);
  expect(permission.holds()).toBe(false);
});

test('what nobody has to permit is always allowed', () => {
  using permission = new Permission(null, clocks);
  clock.monotonicMs += 1e9;
  expect(permission.holds()).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
});

test('the clocks of the machine are those that other processes read as well', async () => {
  vi.useRealTimers();
  const { execFileSync } = await import('node:child_process');
  const before = permittedUntil(() => 1);
  const script = 'console.log(Number(process.hrtime.bigint()) / 1e6, require("node:os").uptime() * 1000)';
  const printed = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  const after = permittedUntil(() => 1);
  const [monotonicMs = 0, uptimeMs = 0] = printed.split(' ').map(Number);
  expect(monotonicMs + 1).toBeGreaterThanOrEqual(before?.monotonicMs ?? Number.POSITIVE_INFINITY);
  expect(monotonicMs).toBeLessThanOrEqual(after?.monotonicMs ?? 0);
  expect(uptimeMs + 1).toBeGreaterThanOrEqual(before?.uptimeMs ?? Number.POSITIVE_INFINITY);
  expect(uptimeMs).toBeLessThanOrEqual(after?.uptimeMs ?? 0);
});
