import { X509Certificate } from 'node:crypto';
import { generate } from 'selfsigned';

/** A TLS key and certificate in PEM. */
export interface KeyAndCertificate {
  readonly keyPem: string;
  readonly certificatePem: string;
}

/** When a certificate is valid; milliseconds since the epoch. */
export interface CertificateValidity {
  readonly notBeforeAt: number;
  readonly notAfterAt: number;
}

/** Makes a self-signed certificate for 127.0.0.1 and localhost. */
export async function createDeviceCertificate(
  deviceName: string,
  validity: CertificateValidity,
): Promise<KeyAndCertificate> {
  const made = await generate([{ name: 'commonName', value: deviceName.slice(0, 64) }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(validity.notBeforeAt),
    notAfterDate: new Date(validity.notAfterAt),
    extensions: [
      { name: 'basicConstraints', cA: true },
      {
        name: 'subjectAltName',
        altNames: [
          { type: 7, ip: '127.0.0.1' },
          { type: 2, value: 'localhost' },
        ],
      },
    ],
  });
  return { keyPem: made.private, certificatePem: made.cert };
}

/** The SHA-256 of a certificate's DER form as 64 lower-case hex digits. */
export function certificateSha256(certificatePem: string): string {
  return new X509Certificate(certificatePem).fingerprint256.replaceAll(':', '').toLowerCase();
}
