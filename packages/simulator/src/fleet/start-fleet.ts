import type { EventEmitter } from 'node:events';
import { Appliance } from '../appliance.ts';
import { buildExportPackage, isLargeExport } from '../content/export-package.ts';
import { createSpool, type Spool } from '../content/spool.ts';
import type { FaultOrderInput } from '../faults/fault-order.ts';
import { type FleetEvents, RequestLog, type RequestLogEntry } from '../request-log.ts';
import { startControlPort } from './control-port.ts';
import { certificateSha256, createDeviceCertificate } from './device-certificate.ts';
import { type DeviceAddress, DeviceHandle, OrderRefused } from './device-handle.ts';
import { DeviceListener } from './device-listener.ts';
import type { Fleet, FleetOptions } from './fleet.ts';
import {
  type DeviceDescription,
  type FleetDescriptionInput,
  readFleetDescription,
} from './fleet-description.ts';

const DAY_MS = 86_400_000;

/** Starts a pretend fleet on 127.0.0.1; rejects with a sentence when the description is wrong or a port is taken. */
export async function startFleet(input: FleetDescriptionInput, options: FleetOptions = {}): Promise<Fleet> {
  const reading = readFleetDescription(input);
  if (!reading.ok) {
    throw new OrderRefused(reading.problems);
  }
  const clock = options.now ?? Date.now;
  const log = new RequestLog();
  const spool = await createSpool(options.spoolFolder);
  const running = new RunningFleet(log, spool);
  try {
    for (const description of reading.value.devices) {
      await running.add(description, options, clock);
    }
    await running.openControl(options.controlPort ?? 0);
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

class RunningFleet implements Fleet {
  readonly #log: RequestLog;
  readonly #spool: Spool;
  readonly #listeners: DeviceListener[] = [];
  readonly #handles = new Map<string, DeviceHandle>();
  #control: { url: string; stop: () => Promise<void> } | undefined;

  constructor(log: RequestLog, spool: Spool) {
    this.#log = log;
    this.#spool = spool;
  }

  get devices(): readonly DeviceAddress[] {
    return [...this.#handles.values()].map(({ address }) => address);
  }

  get controlUrl(): string {
    return this.#control?.url ?? '';
  }

  get events(): EventEmitter<FleetEvents> {
    return this.#log.events;
  }

  get log(): readonly RequestLogEntry[] {
    return this.#log.since(0);
  }

  device(name: string): DeviceHandle {
    const handle = this.#handles.get(name);
    if (handle === undefined) {
      throw new OrderRefused([`the fleet has no device ${name}`]);
    }
    return handle;
  }

  orderFault(order: FaultOrderInput, deviceName?: string): void {
    for (const handle of this.#chosen(deviceName)) {
      handle.orderFault(order);
    }
  }

  clearFaults(deviceName?: string): void {
    for (const handle of this.#chosen(deviceName)) {
      handle.clearFaults();
    }
  }

  nextRequest(accepts: (entry: RequestLogEntry) => boolean, signal?: AbortSignal): Promise<RequestLogEntry> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        this.events.off('request', look);
        signal?.removeEventListener('abort', giveUp);
      };
      const look = (entry: RequestLogEntry): void => {
        if (accepts(entry)) {
          end();
          resolve(entry);
        }
      };
      const giveUp = (): void => {
        end();
        reject(signal?.reason);
      };
      if (signal?.aborted === true) {
        reject(signal.reason);
        return;
      }
      this.events.on('request', look);
      signal?.addEventListener('abort', giveUp, { once: true });
    });
  }

  async prepare(): Promise<void> {
    for (const { appliance } of this.#listeners) {
      for (const { name } of appliance.description.domains) {
        if (isLargeExport(appliance, [name])) {
          await prepareExport(appliance, name);
        }
      }
    }
  }

  async stop(): Promise<void> {
    await Promise.all([this.#control?.stop(), ...this.#listeners.map((listener) => listener.stop())]);
    await this.#spool.remove();
  }

  async add(description: DeviceDescription, options: FleetOptions, clock: () => number): Promise<void> {
    const { name } = description;
    const validity = options.certificateValidity ?? {
      notBeforeAt: Date.now() - DAY_MS,
      notAfterAt: Date.now() + 3650 * DAY_MS,
    };
    const tls = options.tls?.[name] ?? (await createDeviceCertificate(name, validity));
    const appliance = new Appliance(description, this.#spool, clock);
    const listener = new DeviceListener(appliance, tls, this.#log, clock);
    const port = await listener.listen(description.port);
    this.#listeners.push(listener);
    const { certificatePem } = tls;
    const address = {
      name,
      host: '127.0.0.1',
      port,
      certificatePem,
      certificateSha256: certificateSha256(certificatePem),
    };
    this.#handles.set(name, new DeviceHandle(address, appliance, () => listener.dropConnections()));
  }

  async openControl(port: number): Promise<void> {
    this.#control = await startControlPort(this, port);
  }

  #chosen(name: string | undefined): DeviceHandle[] {
    return name === undefined ? [...this.#handles.values()] : [this.device(name)];
  }
}

async function prepareExport(appliance: Appliance, domain: string): Promise<void> {
  const order = { domains: [domain], comment: '', format: 'ZIP', damage: undefined } as const;
  await buildExportPackage(appliance, { ...order, isPersisted: true });
  await buildExportPackage(appliance, { ...order, isPersisted: false });
}
