export { type DatabaseCode, databaseCatalogue } from './database-catalogue.ts';
export { DatabaseError, type DatabaseFault } from './database-error.ts';
export type { DatabaseEvent } from './database-event.ts';
export { dumpSchema } from './dump-schema.ts';
export { acquireDataDirectoryLock, type DataDirectoryLock } from './embedded/data-directory-lock.ts';
export { applyMigrations, type MigrationReport } from './migrations/apply-migrations.ts';
export {
  type ConnectionOptions,
  type Database,
  type DatabaseOptions,
  type DatabaseTarget,
  openDatabase,
} from './open-database.ts';
export {
  exportDatabase,
  type TransferOptions,
  type TransferProgress,
  type TransferReport,
} from './transfer/export-database.ts';
export { importDatabase } from './transfer/import-database.ts';
