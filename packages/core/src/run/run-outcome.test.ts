import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runOutcome } from './run-outcome.ts';

describe('what a run ends as', () => {
  it.each([
    [0, 0, 0, 'SKIPPED'],
    [3, 0, 0, 'SUCCEEDED'],
    [2, 1, 0, 'PARTIAL'],
    [2, 0, 1, 'PARTIAL'],
    [2, 1, 1, 'PARTIAL'],
    [0, 2, 0, 'FAILED'],
    [0, 1, 5, 'FAILED'],
    [0, 0, 4, 'CANCELLED'],
  ])('%i succeeded, %i failed, %i cancelled: %s', (succeeded, failed, cancelled, expected) => {
    expect(runOutcome({ succeeded, failed, cancelled })).toBe(expected);
  });

  it('is SUCCEEDED only when something was backed up and nothing was missed', () => {
    const count = fc.nat({ max: 3 });
    fc.assert(
      fc.property(count, count, count, (succeeded, failed, cancelled) => {
        const isGood = succeeded > 0 && failed === 0 && cancelled === 0;
        expect(runOutcome({ succeeded, failed, cancelled }) === 'SUCCEEDED').toBe(isGood);
      }),
    );
  });
});
