import { afterEach, describe, expect, it } from 'vitest';
import { issueCertificate } from './testing/issue-certificate.ts';
import { faultOf, TestScene } from './testing/test-scene.ts';
import type { Trust } from './trust.ts';

const scene = new TestScene();
afterEach(() => scene.close());

describe('trust', () => {
  it('accepts a device whose certificate a given authority signed', async () => {
    const authority = issueCertificate({ names: [], isAuthority: true });
    const certificate = issueCertificate({ names: ['localhost'], issuer: authority });
    const device = await scene.device({ certificate });
    const appliance = scene.appliance(device.port, {
      kind: 'ca',
      pem: `comment\n${authority.certificatePem}`,
    });
    expect(await appliance.unquiesceDevice()).toEqual({ ok: true, value: undefined });
  });

  it('accepts an address when the certificate names it', async () => {
    const device = await scene.device();
    const appliance = scene.appliance(
      device.port,
      { kind: 'ca', pem: device.certificate.certificatePem },
      { host: '127.0.0.1' },
    );
    expect((await appliance.unquiesceDevice()).ok).toBe(true);
  });

  it.each([
    ['plain', (pin: string) => pin],
    ['with colons and capitals', (pin: string) => (pin.toUpperCase().match(/../gu) ?? []).join(':')],
  ])('accepts the pinned certificate, the pin written %s, whatever host it names', async (_how, write) => {
    const device = await scene.device({ certificate: issueCertificate({ names: ['elsewhere'] }) });
    const appliance = scene.appliance(device.port, { kind: 'pin', sha256: write(device.certificate.sha256) });
    expect((await appliance.unquiesceDevice()).ok).toBe(true);
  });

  it('accepts anything when it was told to be insecure', async () => {
    const device = await scene.device({ certificate: issueCertificate({ names: ['elsewhere'] }) });
    expect((await scene.appliance(device.port, { kind: 'insecure' }).unquiesceDevice()).ok).toBe(true);
  });

  it.each([
    [
      'a self-signed certificate under system trust',
      { kind: 'system' } as Trust,
      ['localhost'],
      {},
      'TLS_UNTRUSTED',
    ],
    ['another authority', 'other-authority', ['localhost'], {}, 'TLS_UNTRUSTED'],
    ['another host', 'own', ['elsewhere'], {}, 'TLS_WRONG_HOST'],
    ['an expired certificate', 'own', ['localhost'], { validUntil: '20010101000000Z' }, 'TLS_EXPIRED'],
    [
      'a changed pin',
      { kind: 'pin', sha256: 'ab'.repeat(32) } as Trust,
      ['localhost'],
      {},
      'TLS_PIN_MISMATCH',
    ],
  ])('refuses %s before the login is sent', async (_what, trust, names, order, code) => {
    const certificate = issueCertificate({ names, ...order });
    const device = await scene.device({ certificate });
    const authority = issueCertificate({ names: [], isAuthority: true });
    const pem = trust === 'own' ? certificate.certificatePem : authority.certificatePem;
    const appliance = scene.appliance(device.port, typeof trust === 'string' ? { kind: 'ca', pem } : trust);
    const fault = faultOf(await appliance.quiesceDevice({ timeoutSeconds: 60 }));
    expect(fault).toMatchObject({ code, effect: 'none', retryable: false });
    expect(device.received).toEqual([]);
  });

  it('refuses a device that speaks no TLS newer than 1.1', async () => {
    const device = await scene.device({
      tls: { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
    });
    const fault = faultOf(await scene.appliance(device.port, { kind: 'insecure' }).unquiesceDevice());
    expect(fault).toMatchObject({ code: 'TLS_PROTOCOL', effect: 'none' });
  });

  it('refuses a port that does not speak TLS', async () => {
    const port = await scene.rawPort((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const fault = faultOf(await scene.appliance(port, { kind: 'insecure' }).unquiesceDevice());
    expect(fault).toMatchObject({ code: 'TLS_PROTOCOL', effect: 'none' });
  });

  it.each<[string, Trust]>([
    ['a pin that is too short', { kind: 'pin', sha256: 'abcd' }],
    ['a bundle without a certificate', { kind: 'ca', pem: 'none' }],
    [
      'a bundle with a broken certificate',
      { kind: 'ca', pem: '-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----' },
    ],
  ])('refuses %s without connecting', async (_what, trust) => {
    const fault = faultOf(await scene.appliance(1, trust).unquiesceDevice());
    expect(fault).toMatchObject({ code: 'TRUST_INVALID', effect: 'none', retryable: false });
  });
});
