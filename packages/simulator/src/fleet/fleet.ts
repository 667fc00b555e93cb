import type { EventEmitter } from 'node:events';
import type { FaultOrderInput } from '../faults/fault-order.ts';
import type { FleetEvents, RequestLogEntry } from '../request-log.ts';
import type { CertificateValidity, KeyAndCertificate } from './device-certificate.ts';
import type { DeviceAddress, DeviceHandle } from './device-handle.ts';

/** How a fleet is started. */
export interface FleetOptions {
  /** Milliseconds since the epoch; default: the system's clock. */
  readonly now?: () => number;
  /** Port of the control interface on 127.0.0.1; 0, the default, is any free one. */
  readonly controlPort?: number;
  /** Validity of the certificates made for the devices; default: from a day ago for ten years. */
  readonly certificateValidity?: CertificateValidity;
  /** Key and certificate of single devices by name, instead of made ones. */
  readonly tls?: Readonly<Record<string, KeyAndCertificate>>;
  /** Folder in which a folder for large packages is made; default: the system's for temporary files. */
  readonly spoolFolder?: string;
}

/** A pretend fleet that is listening. */
export interface Fleet {
  readonly devices: readonly DeviceAddress[];
  readonly controlUrl: string;
  readonly events: EventEmitter<FleetEvents>;
  /** All requests that have come to their end, oldest first. */
  readonly log: readonly RequestLogEntry[];
  /** A device by name; throws when there is none. */
  device(name: string): DeviceHandle;
  /** Orders a fault for one device, or for every device when no name is given. */
  orderFault(order: FaultOrderInput, deviceName?: string): void;
  /** Withdraws the open faults of one device, or of all. */
  clearFaults(deviceName?: string): void;
  /** The next request to end that the test accepts; rejects with the signal. */
  nextRequest(accepts: (entry: RequestLogEntry) => boolean, signal?: AbortSignal): Promise<RequestLogEntry>;
  /** Builds the large packages before the first request asks for them. */
  prepare(): Promise<void>;
  /** Closes every listener and connection, drops work under way and removes the spool. */
  stop(): Promise<void>;
}
