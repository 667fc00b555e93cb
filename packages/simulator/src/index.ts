export {
  currentCommand,
  type DeviceCommand,
  type DeviceState,
  freshDeviceState,
  isSaveNeeded,
  type QuiesceEnding,
  type QuiescePhase,
  quiescePhase,
  stepDevice,
} from './device-state.ts';
export type { FaultKind, FaultOrder, FaultOrderInput } from './faults/fault-order.ts';
export type { FleetOutline } from './fleet/describe-fleet.ts';
export { describeFleet } from './fleet/describe-fleet.ts';
export type { CertificateValidity, KeyAndCertificate } from './fleet/device-certificate.ts';
export { createDeviceCertificate } from './fleet/device-certificate.ts';
export type { DeviceAddress, DeviceChange, DeviceView, DomainView } from './fleet/device-handle.ts';
export { DeviceHandle, OrderRefused } from './fleet/device-handle.ts';
export type { Fleet, FleetOptions } from './fleet/fleet.ts';
export type {
  DeviceDescription,
  DeviceDescriptionInput,
  DomainDescription,
  FleetDescription,
  FleetDescriptionInput,
  FleetReading,
} from './fleet/fleet-description.ts';
export { readFleetDescription } from './fleet/fleet-description.ts';
export { readFleetFile } from './fleet/fleet-file.ts';
export { startFleet } from './fleet/start-fleet.ts';
export type { Arrival, FleetEvents, RequestLogEntry } from './request-log.ts';
export type { SimulatorSurroundings } from './run-simulator.ts';
export { runSimulator } from './run-simulator.ts';
