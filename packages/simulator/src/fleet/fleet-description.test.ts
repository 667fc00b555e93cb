import { describe, expect, test } from 'vitest';
import { describeFleet } from './describe-fleet.ts';
import { readFleetDescription } from './fleet-description.ts';
import { readFleetFile } from './fleet-file.ts';

function problemsOf(text: string): readonly string[] {
  const reading = readFleetFile(text);
  return reading.ok ? [] : reading.problems;
}

describe('a fleet file', () => {
  test('needs nothing but names; default always exists', () => {
    const reading = readFleetFile('devices:\n  - name: dp1\n    domains: [{name: A}]\n');
    expect(reading.ok && reading.value.devices[0]?.domains.map(({ name }) => name)).toEqual(['default', 'A']);
    expect(reading.ok && reading.value.devices[0]).toMatchObject({
      username: 'admin',
      port: 0,
      isDown: false,
    });
  });

  test('settings of all devices can be said once and said otherwise by one', () => {
    const text = `
defaults:
  firmware: {version: XI52.6.0.0.2, build: "1"}
  latencyMs: 20
devices:
  - name: a
  - name: b
    latencyMs: 0
    firmware: {serial: "77"}
`;
    const reading = readFleetFile(text);
    expect(
      reading.ok &&
        reading.value.devices.map(({ latencyMs, firmware }) => [
          latencyMs,
          firmware.version,
          firmware.serial,
        ]),
    ).toEqual([
      [20, 'XI52.6.0.0.2', '0000001'],
      [0, 'XI52.6.0.0.2', '77'],
    ]);
  });

  test.each([
    ['an unknown key of a device', 'devices: [{name: a, hots: x}]', 'devices.0 has the unknown key hots'],
    [
      'an unknown key of a domain',
      'devices: [{name: a, domains: [{name: A, size: 1}]}]',
      'devices.0.domains.0 has the unknown key size',
    ],
    [
      'an unknown key at the top',
      'fleet: []\ndevices: [{name: a}]',
      'the top level has the unknown key fleet',
    ],
    [
      'an unknown key of the defaults',
      'defaults: {nmae: x}\ndevices: [{name: a}]',
      'defaults has the unknown key nmae',
    ],
    [
      'a zone that does not exist',
      'devices: [{name: a, timezone: Mars/Base}]',
      'devices.0.timezone: must be an IANA time zone',
    ],
    ['a device that occurs twice', 'devices: [{name: a}, {name: a}]', 'devices: names the device a twice'],
    [
      'a domain that occurs twice',
      'devices: [{name: a, domains: [{name: A}, {name: A}]}]',
      'devices.0.domains: names the domain A twice',
    ],
  ])('%s is refused in a sentence', (_what, text, sentence) => {
    expect(problemsOf(text)).toEqual([sentence]);
  });

  test('faults in it are checked like any other order', () => {
    expect(problemsOf('devices: [{name: a, faults: [{kind: text}]}]')[0]).toMatch(
      /^devices\.0\.faults\.0\.text: /,
    );
    expect(problemsOf('devices: [{name: a, faults: [{kind: reset, times: 0}]}]')).toEqual([
      'devices.0.faults.0.times: must be -1 (always) or at least 1',
    ]);
  });

  test('what is not YAML, and what is no fleet, is refused', () => {
    expect(problemsOf('devices: [')[0]).toMatch(/^not YAML: /);
    expect(problemsOf('')).toHaveLength(1);
    expect(problemsOf('devices: []')).toHaveLength(1);
  });
});

test('a regular fleet can be described in a line', () => {
  const reading = readFleetDescription(
    describeFleet({ devices: 3, domains: 2, domain: { saveNeeded: true }, defaults: { latencyMs: 5 } }),
  );
  expect(reading.ok && reading.value.devices.map(({ name }) => name)).toEqual(['dp1', 'dp2', 'dp3']);
  expect(reading.ok && reading.value.devices[2]?.firmware.serial).toBe('0000003');
  expect(
    reading.ok && reading.value.devices[1]?.domains.map(({ name, saveNeeded }) => [name, saveNeeded]),
  ).toEqual([
    ['default', false],
    ['domain1', true],
    ['domain2', true],
  ]);
});
