export {
  type BackupManifest,
  type BackupManifestFile,
  backupManifestName,
  maxBackupManifestBytes,
} from './backup-manifest.ts';
export { discardBackup } from './discard-backup.ts';
export type { WritingDevice } from './export-manifest.ts';
export type { Fault, Reply } from './fault.ts';
export { formatTimestamp } from './format-timestamp.ts';
export { type Incoming, type IncomingKind, openIncoming } from './incoming.ts';
export type { IncomingFile, ReceivedFile } from './incoming-file.ts';
export { type BackupTarget, exportFileName, folderOf } from './layout.ts';
export { type Manifest, type ManifestFile, manifestShape } from './manifest.ts';
export { isRemoteMount } from './mount-table.ts';
export { type PublishRequest, publishBackup } from './publish-backup.ts';
export { readBackupManifest } from './read-backup-manifest.ts';
export { type RescanProblem, type RescanReport, rescanStore } from './rescan-store.ts';
export { safeName } from './safe-name.ts';
export { type StoreCode, storeCatalogue } from './store-catalogue.ts';
export {
  checkStore,
  initStore,
  type KnownStore,
  openStore,
  type StoreLocation,
  type StoreMarker,
  type StoreRoot,
  type StoreStatus,
} from './store-root.ts';
export { hashFile, readFilePart } from './stored-file.ts';
export {
  defaultExportLimits,
  type ExportExpectation,
  type ExportLimits,
  type VerifiedExport,
  verifyExport,
} from './verify-export.ts';
export { verifySecureBackup } from './verify-secure-backup.ts';
