import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { trustedCertificates } from './trusted-certificates.ts';

/** A request that wants an answer, of which only its status counts. */
export type UrlCall = {
  readonly url: string;
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Trusted besides the system's. */
  readonly caPem: string;
  readonly signal: AbortSignal;
};

/** What was answered. */
export type UrlAnswer = { readonly status: number; readonly retryAfter: string | null };

/** A reply is not read for its own sake: this much of it is taken, and waited for no longer than this. */
const REPLY_BYTES = 64 * 1024;
const REPLY_MS = 2_000;

/**
 * Makes one request over a connection of its own, by no proxy, and follows no redirect; throws when no answer came. Settles
 * whatever the other side does, at the latest when the signal gives it up.
 */
export function callUrl({ url, method, headers, body, caPem, signal }: UrlCall): Promise<UrlAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<UrlAnswer>();
  const ca = trustedCertificates(caPem);
  const options = {
    method,
    headers: { ...headers, ...(method === 'POST' ? { 'content-length': Buffer.byteLength(body) } : {}) },
    agent: false,
    signal,
    ...(ca === undefined ? {} : { ca }),
  } as const;
  let isAnswered = false;
  const request = url.startsWith('https:') ? requestHttps(url, options) : requestHttp(url, options);
  request.on('error', reject);
  request.on('upgrade', ({ statusCode: status = 0 }, socket) => {
    resolve({ status, retryAfter: null });
    socket.destroy();
  });
  // Also of one that ended without an error; once there is an answer this changes nothing.
  request.on('close', () => {
    if (!isAnswered) reject(Object.assign(new Error('closed'), { code: 'ECONNRESET' }));
  });
  request.on('response', (response) => {
    isAnswered = true;
    const { statusCode: status = 0, headers } = response;
    const answered = (): void => {
      clearTimeout(patience);
      resolve({ status, retryAfter: headers['retry-after'] ?? null });
      response.destroy();
    };
    const patience = setTimeout(answered, REPLY_MS);
    let left = REPLY_BYTES;
    response.on('data', (chunk: Buffer) => {
      left -= chunk.length;
      if (left < 0) answered();
    });
    // The status came: what breaks after it changes nothing.
    for (const event of ['end', 'error', 'close'] as const) response.once(event, answered);
  });
  request.end(body);
  return promise;
}

/** An address without what comes after the host, where some receivers expect a secret; never throws, for errors are logged. */
export function originOf(url: string): string {
  return URL.parse(url)?.origin ?? 'an address that is not valid';
}
