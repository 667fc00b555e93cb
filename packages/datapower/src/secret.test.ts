import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from './secret.ts';

describe('a secret', () => {
  const secret = new Secret('hunter2');

  it('gives its value only when asked for it', () => {
    expect(secret.reveal()).toBe('hunter2');
  });

  it.each([
    ['a string', String(secret)],
    ['a template', String.raw({ raw: ['', ''] }, secret)],
    ['a joined list', ['a', secret].join()],
    ['JSON', JSON.stringify({ password: secret })],
    ['an inspection', inspect({ device: { password: secret } }, { depth: 9, showHidden: true })],
    ['a format', format('%s %o %O %j', secret, secret, secret, secret)],
    ['its keys', JSON.stringify(Object.entries(secret))],
    ['a copy', JSON.stringify({ ...secret })],
    ['an error', new Error('failed', { cause: secret }).stack + inspect(new Error('x', { cause: secret }))],
  ])('is not in %s', (_what, text) => {
    expect(text).not.toContain('hunter2');
  });

  it('prints that it was left out', () => {
    expect(String(secret)).toBe('[redacted]');
    expect(inspect({ secret })).toBe('{ secret: [redacted] }');
    expect(JSON.stringify({ secret })).toBe('{"secret":"[redacted]"}');
  });
});
