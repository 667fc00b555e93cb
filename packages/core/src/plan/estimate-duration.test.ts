import { expect, it } from 'vitest';
import { estimateDuration } from './estimate-duration.ts';

const task = (device: string, durationMs: number | null) => ({ device, durationMs });

it('a device takes the time of all its tasks, and devices go in parallel', () => {
  const tasks = [task('A', 100), task('A', 200), task('B', 250), task('C', 50)];
  expect(estimateDuration(tasks, 3)).toBe(300);
  expect(estimateDuration(tasks, 2)).toBe(300);
  expect(estimateDuration(tasks, 1)).toBe(600);
});

it('tasks of unknown length are taken for usual ones, and nothing is said when all are', () => {
  expect(estimateDuration([task('A', 100), task('B', null), task('B', null)], 2)).toBe(200);
  expect(estimateDuration([task('A', null)], 2)).toBeNull();
  expect(estimateDuration([], 2)).toBeNull();
});
