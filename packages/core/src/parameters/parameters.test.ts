import { describe, expect, it } from 'vitest';
import {
  isParameterName,
  type ParameterName,
  type Parameters,
  parameterDefinitions,
  parametersInForce,
} from './parameters.ts';

const defaults: Parameters = {
  'backups.enabled': true,
  'store.path': null,
  'store.requireRemoteMount': true,
  'store.minFreePercent': 10,
  'device.minFreeTemporaryMb': 512,
  'quiesce.timeoutSeconds': 120,
  'quiesce.graceSeconds': 180,
  'quiesce.settleSeconds': 60,
  'quiesce.pollMs': 2_000,
  'unquiesce.timeoutSeconds': 120,
  'unquiesce.graceSeconds': 180,
  'window.default': 'none',
  'scripts.path': null,
  'scripts.timeoutSeconds': 600,
  'queue.maxHours': 24,
  'devices.parallel': 16,
  'verify.exportHashes': true,
  'history.keepDays': 365,
  timezone: null,
};

const refusalOf = (name: ParameterName, value: unknown): string | null =>
  parameterDefinitions[name].refusal(value);

const names = Object.keys(parameterDefinitions) as ParameterName[];

describe('the system parameters', () => {
  it('have these defaults', () => {
    expect(parametersInForce({})).toEqual(defaults);
  });

  it.each(names)('%s has a default that is itself allowed, and a meaning', (name) => {
    const { defaultValue, meaning } = parameterDefinitions[name];
    expect(refusalOf(name, defaultValue)).toBeNull();
    expect(meaning).toMatch(/^\S.*[^.]$/);
  });

  it.each<[ParameterName, number, number]>([
    ['store.minFreePercent', 0, 99],
    ['device.minFreeTemporaryMb', 0, 1_000_000],
    ['quiesce.timeoutSeconds', 60, 65_535],
    ['quiesce.graceSeconds', 0, 65_535],
    ['quiesce.settleSeconds', 1, 3_600],
    ['quiesce.pollMs', 100, 60_000],
    ['unquiesce.timeoutSeconds', 1, 65_535],
    ['unquiesce.graceSeconds', 0, 65_535],
    ['scripts.timeoutSeconds', 1, 86_400],
    ['queue.maxHours', 1, 720],
    ['devices.parallel', 1, 500],
    ['history.keepDays', 1, 36_500],
  ])('%s takes whole numbers from %i to %i and nothing else', (name, least, most) => {
    expect(refusalOf(name, least)).toBeNull();
    expect(refusalOf(name, most)).toBeNull();
    const reason = `must be a whole number from ${least} to ${most}`;
    for (const bad of [least - 1, most + 1, least + 0.5, String(least), Number.NaN, null, undefined, true]) {
      expect(refusalOf(name, bad)).toBe(reason);
    }
  });

  it.each<ParameterName>(['backups.enabled', 'store.requireRemoteMount', 'verify.exportHashes'])(
    '%s takes true and false and nothing else',
    (name) => {
      expect(refusalOf(name, true)).toBeNull();
      expect(refusalOf(name, false)).toBeNull();
      for (const bad of ['true', 1, 0, null, undefined, {}]) {
        expect(refusalOf(name, bad)).toBe('must be true or false');
      }
    },
  );

  it.each<ParameterName>(['store.path', 'scripts.path'])('%s takes an absolute path, or null', (name) => {
    expect(refusalOf(name, null)).toBeNull();
    expect(refusalOf(name, '/mnt/backup store')).toBeNull();
    for (const bad of ['backup', './x', '', '~/x', '/a\0b', 7, undefined]) {
      expect(refusalOf(name, bad)).toBe('must be an absolute path');
    }
  });

  it('window.default takes "none" or windows, and says what it cannot read', () => {
    for (const value of ['none', '22:00-06:00', '12:00-13:00, 22:00-06:00']) {
      expect(refusalOf('window.default', value)).toBeNull();
    }
    expect(refusalOf('window.default', '22:00-06:00,6-7')).toContain('"6-7"');
    expect(refusalOf('window.default', '06:00-06:00')).toContain('ends at the minute it begins');
    for (const bad of ['', 'default', null, 7, ['22:00-06:00']]) {
      expect(refusalOf('window.default', bad)).not.toBeNull();
    }
  });

  it('timezone takes the name of a zone, or null', () => {
    expect(refusalOf('timezone', null)).toBeNull();
    expect(refusalOf('timezone', 'Europe/Zurich')).toBeNull();
    for (const bad of ['Europe/Atlantis', '+02:00', '', 7, undefined]) {
      expect(refusalOf('timezone', bad)).toContain('IANA time zone');
    }
  });

  it('in force are those that were set on top of the defaults; what is no parameter is left out', () => {
    const values = { 'queue.maxHours': 48, 'store.path': '/mnt/store', nonsense: 1 };
    expect(parametersInForce(values)).toEqual({
      ...defaults,
      'queue.maxHours': 48,
      'store.path': '/mnt/store',
    });
  });

  it('are known by their own names only', () => {
    expect(names.every(isParameterName)).toBe(true);
    for (const name of ['queue.maxhours', 'constructor', '__proto__', '']) {
      expect(isParameterName(name)).toBe(false);
    }
  });
});
