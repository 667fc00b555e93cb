import { createHash, timingSafeEqual } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { buildConnector } from 'undici';
import type { PreparedTrust } from './trust.ts';

/** Raised when a device shows another certificate than the pinned one; both are SHA-256 in hexadecimal. */
export class PinMismatch extends Error {
  readonly code = 'PIN_MISMATCH';
  readonly seen: string;

  constructor(seen: string) {
    super('The certificate is not the pinned one.');
    this.name = 'PinMismatch';
    this.seen = seen;
  }
}

/** Raised instead of opening a connection while nothing may be sent. */
export class SendingNotAllowed extends Error {
  readonly code = 'SENDING_NOT_ALLOWED';

  constructor() {
    super('Nothing may be sent now.');
    this.name = 'SendingNotAllowed';
  }
}

/** Makes the function with which undici opens connections to one device; nothing is sent before trust is established. */
export function connectDevice(
  trust: PreparedTrust,
  timeoutMs: number,
  maySend: () => boolean,
): buildConnector.connector {
  const connect = buildConnector({
    ...trust.tls,
    minVersion: 'TLSv1.2',
    allowH2: false,
    // A resumed session would carry over an earlier verdict on the certificate.
    maxCachedSessions: 0,
    timeout: timeoutMs,
  });
  return (options, callback) => {
    // A request may have waited here for a connection that was lost: a new one is opened only for what may be sent.
    if (!maySend()) return queueMicrotask(() => callback(new SendingNotAllowed(), null));
    connect(options, (error, socket) => {
      if (error) return callback(error, null);
      const tlsSocket = socket as TLSSocket;
      endBeforeDestroy(tlsSocket);
      const mismatch = trust.pin === null ? null : comparePin(tlsSocket, trust.pin);
      if (mismatch === null) return callback(null, tlsSocket);
      tlsSocket.destroy();
      callback(mismatch, null);
    });
  };
}

function comparePin(socket: TLSSocket, pin: string): PinMismatch | null {
  const certificate = socket.getPeerX509Certificate();
  const seen = createHash('sha256')
    .update(certificate?.raw ?? '')
    .digest();
  return timingSafeEqual(seen, Buffer.from(pin, 'hex')) ? null : new PinMismatch(seen.toString('hex'));
}

// Appliances log an error for each connection that goes away without a close_notify. Destroying a TLS socket sends
// none, ending it first does.
function endBeforeDestroy(socket: TLSSocket): void {
  const destroy = socket.destroy.bind(socket);
  socket.destroy = (error?: Error) => {
    if (!socket.destroyed && !socket.writableEnded) socket.end();
    return destroy(error);
  };
}
