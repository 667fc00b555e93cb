import { expect, test } from 'vitest';
import { deviceTime, uptimeText } from './device-clock.ts';

const AT = Date.parse('2020-03-02T13:40:18.750Z');

test('a time is written in the zone of the appliance', () => {
  expect(deviceTime(AT, 'America/New_York')).toEqual({
    date: '2020-03-02',
    time: '08:40:18',
    timestamp: '2020-03-02T08:40:18-05:00',
    longText: 'Mon Mar  2 08:40:18 2020',
    zoneName: 'EST',
  });
  expect(deviceTime(AT, 'Asia/Kolkata').timestamp).toBe('2020-03-02T19:10:18+05:30');
  expect(deviceTime(AT, 'UTC').timestamp).toBe('2020-03-02T13:40:18+00:00');
});

test('a time in summer has the offset of summer', () => {
  expect(deviceTime(Date.parse('2020-07-01T00:00:00Z'), 'Europe/Berlin').timestamp).toBe(
    '2020-07-01T02:00:00+02:00',
  );
});

test('midnight is hour 00', () => {
  expect(deviceTime(Date.parse('2020-07-01T00:00:00Z'), 'UTC').time).toBe('00:00:00');
});

test('an uptime counts days and hours', () => {
  expect(uptimeText(((3 * 24 + 8) * 3600 + 57 * 60 + 10) * 1000)).toBe('3 days 08:57:10');
});
