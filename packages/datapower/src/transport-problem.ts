import { PinMismatch, SendingNotAllowed } from './connect-device.ts';
import type { DatapowerCode, Problem } from './fault.ts';

const UNTRUSTED: ReadonlySet<string> = new Set([
  'CERT_REJECTED',
  'CERT_REVOKED',
  'CERT_SIGNATURE_FAILURE',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const EXPIRED: ReadonlySet<string> = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
const NO_NAME: ReadonlySet<string> = new Set([
  'ENOTFOUND',
  'EAI_AGAIN',
  'EAI_FAIL',
  'EAI_NODATA',
  'EAI_NONAME',
]);

/** Puts a name to what a connection attempt or a broken exchange threw. */
export function transportProblem(error: unknown, device: string, isSent: boolean): Problem {
  if (error instanceof PinMismatch) {
    return {
      code: 'TLS_PIN_MISMATCH',
      detail: `${device} shows the certificate ${error.seen}, which is not the pinned one.`,
    };
  }
  if (error instanceof SendingNotAllowed) return sendingNotAllowed(device);
  const errorCode = codeOf(error);
  const code = classify(errorCode, isSent);
  return { code, detail: `${SENTENCE[code] ?? 'The exchange failed with'} ${device} (${errorCode}).` };
}

/** The problem of a request that was held back because nothing may be sent. */
export function sendingNotAllowed(device: string): Problem {
  return {
    code: 'SENDING_NOT_ALLOWED',
    detail: `Nothing was sent to ${device}, because this node may not act now.`,
  };
}

const SENTENCE: Partial<Record<DatapowerCode, string>> = {
  HOST_NOT_FOUND: 'No address was found for',
  DEVICE_UNREACHABLE: 'No connection could be made to',
  TLS_UNTRUSTED: 'No trusted authority vouches for the certificate of',
  TLS_EXPIRED: 'The dates of the certificate do not cover today at',
  TLS_WRONG_HOST: 'The certificate names other hosts than',
  TLS_PROTOCOL: 'TLS could not be agreed on with',
  CLIENT_CLOSED: 'The client was closed for',
  REPLY_STALLED: 'No more bytes came from',
  REPLY_NOT_XML: 'No HTTP answer came from',
  CONNECTION_LOST: 'The connection broke with',
};

function classify(errorCode: string, isSent: boolean): DatapowerCode {
  if (NO_NAME.has(errorCode)) return 'HOST_NOT_FOUND';
  if (UNTRUSTED.has(errorCode)) return 'TLS_UNTRUSTED';
  if (EXPIRED.has(errorCode)) return 'TLS_EXPIRED';
  if (errorCode === 'ERR_TLS_CERT_ALTNAME_INVALID') return 'TLS_WRONG_HOST';
  if (errorCode === 'UND_ERR_CLOSED' || errorCode === 'UND_ERR_DESTROYED') return 'CLIENT_CLOSED';
  if (errorCode === 'UND_ERR_BODY_TIMEOUT') return 'REPLY_STALLED';
  if (errorCode.startsWith('HPE_') || errorCode === 'UND_ERR_HEADERS_OVERFLOW') return 'REPLY_NOT_XML';
  if (isSent) return 'CONNECTION_LOST';
  if (errorCode === 'EPROTO' || errorCode.startsWith('ERR_SSL') || errorCode.startsWith('ERR_TLS')) {
    return 'TLS_PROTOCOL';
  }
  return 'DEVICE_UNREACHABLE';
}

function codeOf(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string') return error.code;
  return error instanceof Error ? error.name : 'no reason given';
}
