import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { inspect } from 'node:util';
import type { Appliance } from '../appliance.ts';
import type { Fault, Reply } from '../fault.ts';
import { type ApplianceOptions, openAppliance } from '../open-appliance.ts';
import { Secret } from '../secret.ts';
import type { Deadlines } from '../session.ts';
import type { Trust } from '../trust.ts';
import { startTestDevice, type TestDevice } from './test-device.ts';

/** The password of every test appliance; no fault may hold it. */
export const TEST_PASSWORD = 'p4ss-w0rd-never-printed';

type Login = { readonly host: string; readonly username: string };

/** Opens devices and appliances for one test and closes them all in the end. */
export class TestScene {
  readonly #closers: (() => Promise<void>)[] = [];

  /** Starts a device that answers OK until it is told otherwise. */
  async device(options: Parameters<typeof startTestDevice>[0] = {}): Promise<TestDevice> {
    const device = await startTestDevice(options);
    this.#closers.push(() => device.close());
    return device;
  }

  /** Opens a client for a port of this machine. */
  appliance(
    port: number,
    tls: Trust,
    { host = 'localhost', username = 'admin', deadlines, maySend }: ApplianceOptions & Partial<Login> = {},
  ): Appliance {
    const password = new Secret(TEST_PASSWORD);
    const appliance = openAppliance({ host, port, username, password, tls }, { deadlines, maySend });
    this.#closers.push(() => appliance.close());
    return appliance;
  }

  /** Opens a client that trusts this device. */
  trusting(device: TestDevice, deadlines: Partial<Deadlines> = {}, maySend?: () => boolean): Appliance {
    const trust = { kind: 'ca', pem: device.certificate.certificatePem } as const;
    return this.appliance(device.port, trust, { deadlines, maySend });
  }

  /** Listens on a free port without any protocol and returns the port. */
  async rawPort(onSocket: (socket: Socket) => void): Promise<number> {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      onSocket(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    this.#closers.push(async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    });
    return (server.address() as AddressInfo).port;
  }

  /** Closes everything, the last opened first. */
  async close(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }
}

/** The fault of a failed reply, which must not hold the password in any printed form. */
export function faultOf(reply: Reply<unknown>): Fault {
  if (reply.ok) throw new Error('The call succeeded.');
  const printed = `${inspect(reply, { depth: 9 })} ${JSON.stringify(reply)}`;
  if (printed.includes(TEST_PASSWORD)) throw new Error('The fault holds the password.');
  return reply.fault;
}
