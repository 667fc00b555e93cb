import { X509Certificate } from 'node:crypto';
import { getCACertificates } from 'node:tls';
import type { Problem } from './fault.ts';

/** How a device proves who it is. `insecure` proves nothing and must be chosen explicitly. */
export type Trust =
  | { readonly kind: 'ca'; readonly pem: string }
  | { readonly kind: 'pin'; readonly sha256: string }
  | { readonly kind: 'system' }
  | { readonly kind: 'insecure' };

/** A trust made ready for connecting: TLS options, and the pinned fingerprint as 64 lower-case hexadecimal digits. */
export interface PreparedTrust {
  readonly tls: { readonly rejectUnauthorized: boolean; readonly ca?: string[] };
  readonly pin: string | null;
}

const PEM_BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/gu;

/** Checks a trust and makes it ready; a pin or a bundle that cannot be right is a problem with code `TRUST_INVALID`. */
export function prepareTrust(trust: Trust): PreparedTrust | Problem {
  switch (trust.kind) {
    case 'ca':
      return prepareAuthorities(trust.pem);
    case 'pin':
      return preparePin(trust.sha256);
    case 'system':
      return { tls: { rejectUnauthorized: true, ca: getCACertificates('system') }, pin: null };
    case 'insecure':
      return { tls: { rejectUnauthorized: false }, pin: null };
  }
}

function prepareAuthorities(pem: string): PreparedTrust | Problem {
  const blocks = pem.match(PEM_BLOCK) ?? [];
  if (blocks.length === 0) {
    return { code: 'TRUST_INVALID', detail: 'The CA bundle of the device holds no certificate.' };
  }
  for (const [index, block] of blocks.entries()) {
    try {
      new X509Certificate(block);
    } catch {
      return {
        code: 'TRUST_INVALID',
        detail: `Certificate ${index + 1} of the CA bundle of the device cannot be read.`,
      };
    }
  }
  return { tls: { rejectUnauthorized: true, ca: [...blocks] }, pin: null };
}

function preparePin(sha256: string): PreparedTrust | Problem {
  const pin = sha256.trim().replaceAll(':', '').toLowerCase();
  if (!/^[0-9a-f]{64}$/u.test(pin)) {
    return { code: 'TRUST_INVALID', detail: 'The pin of the device is not 64 hexadecimal digits.' };
  }
  // The pinned certificate itself is the proof, so neither its issuer nor its names nor its dates matter.
  return { tls: { rejectUnauthorized: false }, pin };
}
