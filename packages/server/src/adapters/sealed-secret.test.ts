import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openSecret, sealSecret } from './sealed-secret.ts';

describe('a sealed secret', () => {
  const key = randomBytes(32);
  it('opens with its key and its context to what was sealed', () => {
    expect(openSecret(key, sealSecret(key, 'pässword', 'device QA1'), 'device QA1')).toBe('pässword');
  });

  it('is never the same twice, and does not show the text', () => {
    const sealed = sealSecret(key, 'password', 'device QA1');
    expect(sealed.equals(sealSecret(key, 'password', 'device QA1'))).toBe(false);
    expect(sealed.includes('password')).toBe(false);
  });

  it('does not open for another device, with another key, or after a bit was changed', () => {
    const sealed = sealSecret(key, 'password', 'device QA1');
    expect(() => openSecret(key, sealed, 'device QA2')).toThrow();
    expect(() => openSecret(randomBytes(32), sealed, 'device QA1')).toThrow();
    for (let at = 0; at < sealed.length; at++) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
      expect(() => openSecret(key, changed, 'device QA1')).toThrow();
    }
  });
});
