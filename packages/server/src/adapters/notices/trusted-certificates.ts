import { getCACertificates } from 'node:tls';

/** What the system trusts and the certificates that were named besides; undefined for the system's alone. */
export function trustedCertificates(caPem: string): string[] | undefined {
  return caPem === '' ? undefined : [...getCACertificates('default'), caPem];
}
