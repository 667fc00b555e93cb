import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { type IssuedCertificate, issueCertificate } from './issue-certificate.ts';

/** One request as the test device received it. */
export interface ReceivedRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** Answers one request; not ending the response leaves the client waiting. */
export type DeviceBehaviour = (request: ReceivedRequest, response: ServerResponse) => void;

/** A small HTTPS server that stands for an appliance in the tests of this package. */
export interface TestDevice {
  readonly port: number;
  readonly certificate: IssuedCertificate;
  readonly received: ReceivedRequest[];
  /** Largest number of requests that were open at the same time. */
  readonly mostInFlight: () => number;
  readonly connectionCount: () => number;
  answer(behaviour: DeviceBehaviour): void;
  close(): Promise<void>;
}

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const SOMA = 'http://www.datapower.com/schemas/management';

/** A success envelope around the given content of `dp:response`. */
export function envelope(content: string, { isStamped = true } = {}): string {
  const stamp = isStamped ? '<dp:timestamp>2023-05-17T05:07:12-04:00</dp:timestamp>' : '';
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<env:Envelope xmlns:env="${SOAP}"><env:Body>` +
    `<dp:response xmlns:dp="${SOMA}">${stamp}${content}</dp:response></env:Body></env:Envelope>`
  );
}

/** A behaviour that sends the given body with HTTP status 200. */
export function says(body: string | Buffer): DeviceBehaviour {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/xml' });
    response.end(body);
  };
}

/** Starts a test device on a free port of the loopback address. */
export async function startTestDevice(
  options: { certificate?: IssuedCertificate; tls?: TlsOptions } = {},
): Promise<TestDevice> {
  const certificate = options.certificate ?? issueCertificate({ names: ['localhost', '127.0.0.1'] });
  const received: ReceivedRequest[] = [];
  const sockets = new Set<Socket>();
  let behaviour: DeviceBehaviour = says(envelope('<dp:result>OK</dp:result>'));
  let inFlight = 0;
  let mostInFlight = 0;
  let connectionCount = 0;
  const server = createServer(
    { key: certificate.keyPem, cert: certificate.certificatePem, ...options.tls },
    (message, response) => {
      inFlight += 1;
      mostInFlight = Math.max(mostInFlight, inFlight);
      response.on('close', () => {
        inFlight -= 1;
      });
      const parts: Buffer[] = [];
      message.on('data', (part: Buffer) => parts.push(part));
      message.on('end', () => {
        const body = Buffer.concat(parts).toString('utf8');
        const request = { path: message.url ?? '', headers: message.headers, body };
        received.push(request);
        behaviour(request, response);
      });
    },
  );
  server.on('connection', (socket: Socket) => {
    connectionCount += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    certificate,
    received,
    mostInFlight: () => mostInFlight,
    connectionCount: () => connectionCount,
    answer: (next) => {
      behaviour = next;
    },
    async close() {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
