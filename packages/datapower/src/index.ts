export type { Appliance, BackupMode, BackupOrder, Certificate, Transferred } from './appliance.ts';
export { datapowerCatalogue } from './datapower-catalogue.ts';
export type { DatapowerCode, Effect, Fault, Reply } from './fault.ts';
export { type ApplianceOptions, openAppliance, usualDeadlines } from './open-appliance.ts';
export type { FileSink } from './reply-receiver.ts';
export { Secret } from './secret.ts';
export type { ApplianceAddress, CallOptions, Deadlines } from './session.ts';
export type { Trust } from './trust.ts';
export type { Domain } from './wire/read-config.ts';
export type { FileListing, StoredFile } from './wire/read-filestore.ts';
export type {
  DateTime,
  DomainStatus,
  FilesystemStatus,
  Firmware,
  ObjectStatus,
  QuiesceState,
} from './wire/read-status.ts';
export type { BackupScope, SecureBackupOrder } from './wire/requests.ts';
