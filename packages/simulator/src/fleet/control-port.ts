import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import type { FaultOrderInput } from '../faults/fault-order.ts';
import { type DeviceChange, OrderRefused } from './device-handle.ts';
import type { Fleet } from './fleet.ts';

interface ControlReply {
  readonly status: number;
  readonly body: unknown;
}

const LARGEST_BODY_BYTES = 16 * 1024 * 1024;

/** Opens the control interface: JSON over plain HTTP on 127.0.0.1. */
export function startControlPort(
  fleet: Fleet,
  port: number,
): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = createServer((request, response) => void answer(fleet, request, response));
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => {
      server.off('error', reject);
      const { port: given } = server.address() as AddressInfo;
      resolve({ url: `http://127.0.0.1:${given}`, stop: () => close(server) });
    });
  });
}

async function answer(fleet: Fleet, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const reply = await replyTo(fleet, request).catch((error: unknown): ControlReply => {
    if (error instanceof OrderRefused) {
      return { status: 400, body: { problems: error.problems } };
    }
    return { status: 500, body: { problems: [String(error)] } };
  });
  response.writeHead(reply.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(reply.body));
}

async function replyTo(fleet: Fleet, request: IncomingMessage): Promise<ControlReply> {
  const url = new URL(request.url ?? '/', 'http://control');
  const [collection, name, ...rest] = url.pathname.slice(1).split('/').map(decodeURIComponent);
  const route = `${request.method} ${collection}${name === undefined ? '' : '/:name'}`;
  if (rest.length > 0) {
    return { status: 404, body: { problems: [`there is nothing at ${url.pathname}`] } };
  }
  switch (route) {
    case 'GET devices':
      return { status: 200, body: { devices: fleet.devices.map((one) => fleet.device(one.name).view()) } };
    case 'GET devices/:name':
      return withDevice(fleet, name, async (device) => device.view());
    case 'PATCH devices/:name':
      return withDevice(fleet, name, async (device) => {
        // Checked strictly inside, whatever the type says.
        device.change((await readJson(request)) as DeviceChange);
        return device.view();
      });
    case 'GET log': {
      const since = Number(url.searchParams.get('since') ?? '0');
      if (!Number.isInteger(since) || since < 0) {
        throw new OrderRefused(['since: must be a whole number of at least 0']);
      }
      return { status: 200, body: { entries: fleet.log.filter(({ seq }) => seq > since) } };
    }
    case 'POST faults': {
      const { device, order } = splitFault(await readJson(request));
      fleet.orderFault(order, device);
      return { status: 201, body: { ordered: order } };
    }
    case 'DELETE faults':
      fleet.clearFaults(url.searchParams.get('device') ?? undefined);
      return { status: 200, body: { cleared: true } };
    default:
      return { status: 404, body: { problems: [`there is nothing at ${request.method} ${url.pathname}`] } };
  }
}

async function withDevice(
  fleet: Fleet,
  name: string | undefined,
  act: (device: ReturnType<Fleet['device']>) => Promise<unknown>,
): Promise<ControlReply> {
  const known = fleet.devices.find((device) => device.name === name);
  if (known === undefined) {
    return { status: 404, body: { problems: [`the fleet has no device ${name}`] } };
  }
  return { status: 200, body: await act(fleet.device(known.name)) };
}

// A fault order as the control port takes it is one for a device, or for all when none is named.
function splitFault(body: unknown): { device: string | undefined; order: FaultOrderInput } {
  const reading = z.looseObject({ device: z.string().optional() }).safeParse(body);
  if (!reading.success) {
    throw new OrderRefused(['the body: must be an object with a kind, and a device that is a text if given']);
  }
  const { device, ...order } = reading.data;
  return { device, order: order as FaultOrderInput };
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const pieces: Buffer[] = [];
  let sizeBytes = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    sizeBytes += piece.length;
    if (sizeBytes > LARGEST_BODY_BYTES) {
      throw new OrderRefused([`the body: must be at most ${LARGEST_BODY_BYTES} bytes`]);
    }
    pieces.push(piece);
  }
  try {
    return JSON.parse(Buffer.concat(pieces).toString());
  } catch {
    throw new OrderRefused(['the body: must be JSON']);
  }
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
