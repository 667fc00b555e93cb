import { generateKeyPairSync, type KeyObject, sign, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';

const SEQUENCE = 0x30;
const SET = 0x31;
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
const COMMON_NAME = Buffer.from('0603550403', 'hex');
const SUBJECT_ALT_NAME = Buffer.from('0603551d11', 'hex');
const BASIC_CONSTRAINTS = Buffer.from('0603551d13', 'hex');

/** A certificate for tests with its private key, both as PEM, and the SHA-256 of its DER as plain hexadecimal. */
export interface IssuedCertificate {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly sha256: string;
  readonly commonName: string;
  readonly key: KeyObject;
}

/** Issues a certificate for DNS names or IPv4 addresses, self-signed unless an issuer is given, valid until 2999. */
export function issueCertificate(order: {
  names: readonly string[];
  issuer?: IssuedCertificate;
  isAuthority?: boolean;
  validUntil?: string;
}): IssuedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const commonName = order.isAuthority ? 'Test authority' : 'Test device';
  const algorithm = der(SEQUENCE, ECDSA_WITH_SHA256);
  const signed = der(
    SEQUENCE,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([order.isAuthority ? 1 : 2])),
    algorithm,
    distinguishedName(order.issuer?.commonName ?? commonName),
    der(SEQUENCE, instant('20000101000000Z'), instant(order.validUntil ?? '29991231235959Z')),
    distinguishedName(commonName),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(SEQUENCE, ...extensions(order))),
  );
  const signature = sign('sha256', signed, order.issuer?.key ?? privateKey);
  const certificate = der(SEQUENCE, signed, algorithm, der(0x03, Buffer.from([0]), signature));
  const parsed = new X509Certificate(certificate);
  return {
    certificatePem: parsed.toString(),
    keyPem: String(privateKey.export({ type: 'pkcs8', format: 'pem' })),
    sha256: parsed.fingerprint256.replaceAll(':', '').toLowerCase(),
    commonName,
    key: privateKey,
  };
}

function extensions(order: { names: readonly string[]; isAuthority?: boolean }): Buffer[] {
  if (order.isAuthority) {
    const isTrue = der(0x01, Buffer.from([0xff]));
    return [der(SEQUENCE, BASIC_CONSTRAINTS, isTrue, der(0x04, der(SEQUENCE, isTrue)))];
  }
  const names = order.names.map((name) =>
    isIP(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name)),
  );
  return [der(SEQUENCE, SUBJECT_ALT_NAME, der(0x04, der(SEQUENCE, ...names)))];
}

function distinguishedName(commonName: string): Buffer {
  return der(SEQUENCE, der(SET, der(SEQUENCE, COMMON_NAME, der(0x0c, Buffer.from(commonName)))));
}

function instant(text: string): Buffer {
  return der(0x18, Buffer.from(text));
}

function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), derLength(content.length), content]);
}

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  if (length < 0x100) return Buffer.from([0x81, length]);
  return Buffer.from([0x82, length >> 8, length & 0xff]);
}
