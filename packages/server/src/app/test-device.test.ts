import type { DeviceTest } from '@stillpoint/contract';
import { deviceTestShape } from '@stillpoint/contract';
import { describe, expect, it } from 'vitest';
import { sampleDevice } from '../testing/sample-device.ts';
import type { DeviceFindings, DeviceRecord } from './ports.ts';
import { judgeFindings } from './test-device.ts';

const { password: _, ...device } = sampleDevice({ tls: { system: true } });
const at = '2026-03-29T01:00:00.000Z';
const good: DeviceFindings = {
  firmware: { ok: true, value: { serial: '0000001', version: 'IDG.10.5.0.2', model: '5725 T09' } },
  backupMode: { ok: true, value: 'secure' },
  clockDifferenceMs: { ok: true, value: 400 },
  domains: { ok: true, value: ['default', 'A'] },
};

const faultOf = (code: string, detail: string) =>
  ({ ok: false, fault: { code, effect: 'none', retryable: true, detail } }) as const;

function judge(findings: Partial<DeviceFindings>, of: DeviceRecord = device): DeviceTest {
  const test = judgeFindings(of, { ...good, ...findings }, at, (code) =>
    code === 'LOST' ? 'Look for it.' : '',
  );
  expect(deviceTestShape.safeParse(test).error).toBeUndefined();
  return test;
}

const outcomes = ({ checks }: DeviceTest) => checks.map(({ name, outcome }) => `${name} ${outcome}`);

describe('a device test', () => {
  it('of a good device passes every check and says so in one sentence', () => {
    const test = judge({});
    expect(test).toMatchObject({
      device: 'QA1',
      isUsable: true,
      sentence: 'QA1 can be backed up.',
      firmwareVersion: 'IDG.10.5.0.2',
      model: '5725 T09',
      serial: '0000001',
      backupMode: 'secure',
      clockDifferenceMs: 400,
      domains: ['default', 'A'],
      testedAt: at,
    });
    expect(outcomes(test)).toEqual([
      ...['reachability passed', 'login passed', 'firmware passed'],
      ...['backupMode passed', 'clock passed', 'domains passed'],
    ]);
  });

  it('of one that cannot be reached ends there, names the address and says what to do', () => {
    const test = judgeFindings(
      device,
      { firmware: faultOf('LOST', 'Nobody answers.') },
      at,
      () => 'Look for it.',
    );
    expect(outcomes(test)).toEqual(['reachability failed']);
    expect(test.isUsable).toBe(false);
    expect(test.sentence).toBe('QA1 at qa1.example.com:5550: Nobody answers. Look for it.');
    expect(test).toMatchObject({
      firmwareVersion: null,
      backupMode: null,
      clockDifferenceMs: null,
      domains: [],
    });
  });

  it('does not name the address twice', () => {
    const { sentence } = judge({ firmware: faultOf('LOST', 'qa1.example.com:5550 refused the connection.') });
    expect(sentence).toBe('QA1: qa1.example.com:5550 refused the connection. Look for it.');
  });

  it('of one that lets nobody in has reached it, and says whom it refused', () => {
    const test = judge({ firmware: faultOf('AUTHENTICATION_FAILED', 'Authentication failure.') });
    expect(outcomes(test).slice(0, 2)).toEqual(['reachability passed', 'login failed']);
    expect(test.sentence).toBe('QA1 at qa1.example.com:5550 refused the user name "backup" or its password.');
  });

  it.each(['normal', 'unknown'])(
    'warns of the backup mode %s, with which exports go all the same',
    (mode) => {
      const test = judge({ backupMode: { ok: true, value: mode } });
      expect(outcomes(test)).toContain('backupMode warning');
      expect(test).toMatchObject({ isUsable: true, sentence: 'QA1 can be backed up, with 1 warning(s).' });
    },
  );

  it.each([
    [60_000, 'passed'],
    [-60_000, 'passed'],
    [60_001, 'warning'],
    [-3_600_000, 'warning'],
  ])('of a clock that differs by %i ms: %s', (value, outcome) => {
    expect(outcomes(judge({ clockDifferenceMs: { ok: true, value } }))).toContain(`clock ${outcome}`);
  });

  it('of a device that does not tell its time leaves that check out', () => {
    const test = judge({ clockDifferenceMs: { ok: true, value: null } });
    expect(outcomes(test)).toContain('clock skipped');
    expect(test.isUsable).toBe(true);
  });

  it.each(['backupMode', 'clockDifferenceMs', 'domains'] as const)('fails when %s cannot be read', (name) => {
    const test = judge({ [name]: faultOf('LOST', 'The answer was cut off.') });
    expect(test.isUsable).toBe(false);
    expect(test.sentence).toBe('QA1 at qa1.example.com:5550: The answer was cut off. Look for it.');
  });

  it('always warns of a certificate that is not checked', () => {
    const test = judge({}, { ...device, tls: { insecure: true } });
    expect(outcomes(test)).toContain('tls warning');
    expect(test.sentence).toBe('QA1 can be backed up, with 1 warning(s).');
  });

  it('tells the first failure when there are several', () => {
    const test = judge({ backupMode: faultOf('X', 'First.'), domains: faultOf('X', 'Second.') });
    expect(test.sentence).toContain('First.');
    expect(test.sentence).not.toContain('Second.');
  });
});
