import { expect, test } from 'vitest';
import { formatTimestamp } from './format-timestamp.ts';

test('an instant is written on the clocks of its zone', () => {
  const instant = Date.UTC(2017, 5, 26, 20, 48, 0, 7);
  expect(formatTimestamp(instant, 'Europe/Berlin')).toBe('2017-06-26-22-48-00-007');
  expect(formatTimestamp(instant, 'UTC')).toBe('2017-06-26-20-48-00-007');
  expect(formatTimestamp(instant, 'Asia/Kolkata')).toBe('2017-06-27-02-18-00-007');
});

test('midnight is hour 00 of the new day', () => {
  expect(formatTimestamp(Date.UTC(2024, 1, 29), 'UTC')).toBe('2024-02-29-00-00-00-000');
});
