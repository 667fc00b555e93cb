import type { IncomingHttpHeaders } from 'node:http';
import { type Agent, request } from 'node:https';
import type { DeviceAddress } from '../fleet/device-handle.ts';

/** What a test sends. */
export interface Call {
  readonly path?: string;
  readonly method?: string;
  readonly credentials?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Send the body in chunks, without saying how long it is. */
  readonly isChunked?: boolean;
  readonly agent?: Agent;
  readonly signal?: AbortSignal;
}

/** What a test got back. */
export interface CallReply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

const SOAP = 'http://schemas.xmlsoap.org/soap/envelope/';
const MANAGEMENT = 'http://www.datapower.com/schemas/management';

/** An envelope with one or more operations, each its own request. */
export function envelopeOf(operations: readonly string[], domain?: string): string {
  const attribute = domain === undefined ? '' : ` domain="${domain}"`;
  const requests = operations.map(
    (operation) => `<dp:request xmlns:dp="${MANAGEMENT}"${attribute}>${operation}</dp:request>`,
  );
  return `<env:Envelope xmlns:env="${SOAP}"><env:Body>${requests.join('')}</env:Body></env:Envelope>`;
}

/** Sends a body to a device, trusting exactly the device's own certificate. */
export function callDevice(
  device: DeviceAddress,
  body: string | Buffer,
  call: Call = {},
): Promise<CallReply> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: device.host,
        port: device.port,
        path: call.path ?? '/service/mgmt/current',
        method: call.method ?? 'POST',
        ca: device.certificatePem,
        auth: call.credentials ?? 'admin:admin-password',
        headers: {
          ...(call.isChunked ? {} : { 'content-length': Buffer.byteLength(body) }),
          ...call.headers,
        },
        agent: call.agent ?? false,
        ...(call.signal === undefined ? {} : { signal: call.signal }),
      },
      (response) => {
        const pieces: Buffer[] = [];
        response.on('data', (piece: Buffer) => pieces.push(piece));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(pieces).toString(),
          }),
        );
      },
    );
    sent.on('error', reject);
    if (call.isChunked) {
      sent.write(body.slice(0, 20));
      sent.end(body.slice(20));
      return;
    }
    sent.end(body);
  });
}

/** Sends one operation to a device. */
export function callOperation(device: DeviceAddress, operation: string, domain?: string): Promise<CallReply> {
  return callDevice(device, envelopeOf([operation], domain));
}

/** Sends one action to a device. */
export function callAction(device: DeviceAddress, action: string, domain?: string): Promise<CallReply> {
  return callOperation(device, `<dp:do-action>${action}</dp:do-action>`, domain);
}

/** The decoded bytes of the file in an answer. */
export function fileIn(text: string): Buffer {
  const found = /<dp:file[^>]*>([^<]*)<\/dp:file>/.exec(text);
  return Buffer.from(found?.[1] ?? '', 'base64');
}

/** The texts of all elements with a name, in order. */
export function textsOf(text: string, name: string): string[] {
  const pattern = new RegExp(`<${name}(?: [^>]*)?(?:/>|>([^<]*)</${name}>)`, 'g');
  return [...text.matchAll(pattern)].map((match) => match[1] ?? '');
}
