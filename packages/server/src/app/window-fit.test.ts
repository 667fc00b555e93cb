import { parametersInForce } from '@stillpoint/core';
import { describe, expect, it } from 'vitest';
import { samplePlan } from '../testing/sample-plan.ts';
import { windowFit } from './window-fit.ts';

const at = Date.parse('2026-03-01T03:00:00Z');
const HOUR_MS = 3_600_000;

const fitOf = (window: 'none' | string[], durationMs: number | null, blackoutDates: string[] = []) =>
  windowFit(samplePlan({ window, blackoutDates }), parametersInForce({}), 'UTC', at, durationMs);

describe('how a run fits its window', () => {
  it('is told by when the window closes and how long earlier backups took', () => {
    expect(fitOf(['02:00-04:30'], HOUR_MS)).toMatchObject({
      isOpen: true,
      closesAt: '2026-03-01T04:30:00.000Z',
      isLongEnough: true,
    });
    expect(fitOf(['02:00-04:30'], 2 * HOUR_MS)).toMatchObject({
      isLongEnough: false,
      sentence:
        'The window is open until 2026-03-01T04:30:00.000Z; what waits then is cancelled. By earlier backups the run takes 120 min at least, which is too long.',
    });
    expect(fitOf(['02:00-04:30'], null)).toMatchObject({ isLongEnough: null });
  });

  it('is never too long for a window that does not close', () => {
    expect(fitOf('none', null)).toMatchObject({ isOpen: true, closesAt: null, isLongEnough: true });
  });

  it('is told by when the window opens while it is closed, blackout dates included', () => {
    expect(fitOf(['04:00-05:00'], null)).toMatchObject({
      isOpen: false,
      opensAt: '2026-03-01T04:00:00.000Z',
    });
    expect(fitOf(['04:00-05:00'], null, ['2026-03-01/2026-03-03'])).toMatchObject({
      isOpen: false,
      opensAt: '2026-03-04T04:00:00.000Z',
    });
  });

  it('is not known for a window that cannot be read', () => {
    expect(fitOf(['25:00-26:00'], null)).toBeNull();
  });
});
