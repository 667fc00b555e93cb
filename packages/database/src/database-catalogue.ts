/** Every code this package reports: what happened, and what the operator does next. */
export const databaseCatalogue = {
  DATABASE_URL_INVALID: {
    sentence: 'The database address cannot be used.',
    remedy: 'Give an address of the form postgresql://user@host:5432/database.',
  },
  DATABASE_UNREACHABLE: {
    sentence: 'The database did not answer, or did not let us in.',
    remedy:
      'Check the address, the credentials, the network and that PostgreSQL is running, then start again.',
  },
  DATABASE_TOO_OLD: {
    sentence: 'The PostgreSQL server is older than this program needs.',
    remedy: 'Use PostgreSQL 15 or newer.',
  },
  DATABASE_NOT_UTF8: {
    sentence: 'The database does not store its text as UTF-8.',
    remedy: 'Create the database with encoding UTF8 and start again.',
  },
  DATABASE_NEWER_THAN_PROGRAM: {
    sentence: 'The database was migrated by a newer version, which does not work together with this one.',
    remedy: 'Start the version that is named, or a newer one.',
  },
  MIGRATION_CHANGED: {
    sentence: 'A migration that was already applied is not the one this program carries.',
    remedy:
      'Install an unaltered release. If the file was edited on purpose, undo that and add a new migration.',
  },
  MIGRATION_FAILED: {
    sentence: 'A migration was refused by PostgreSQL; nothing of it was kept.',
    remedy: 'Read the detail, remove the cause (permissions, disk space, locks), and start again.',
  },
  DATABASE_HOLDS_NOTHING: {
    sentence: 'There is no database of Stillpoint to export.',
    remedy: 'Name the data directory or the database that a server works with.',
  },
  DATABASE_NOT_EMPTY: {
    sentence: 'An import goes into an empty database only, and this one is not; it was not touched.',
    remedy: 'Create a new database, or name a data directory that has none yet.',
  },
  DATABASE_EXPORT_EXISTS: {
    sentence: 'An export never replaces a file.',
    remedy: 'Choose another name, or a folder.',
  },
  DATABASE_EXPORT_NOT_WRITTEN: {
    sentence: 'The export cannot be written; no part of it was kept.',
    remedy: 'Correct the permissions or make room, or choose another folder.',
  },
  DATABASE_EXPORT_FAILED: {
    sentence: 'The export came to no end; no part of it was kept.',
    remedy: 'Remove the cause that is named and export again.',
  },
  DATABASE_EXPORT_NOT_READABLE: {
    sentence: 'The file cannot be read as an export; the database was not touched.',
    remedy: 'Name a file that "stillpoint database export" wrote, as a user who may read it.',
  },
  DATABASE_EXPORT_DAMAGED: {
    sentence: 'The export was cut or changed since it was written; the database was left as it was.',
    remedy: 'Copy the export again from where it was written, or import an older one.',
  },
  DATABASE_EXPORT_NEWER: {
    sentence: 'The export was written by a newer version; the database was not touched.',
    remedy: 'Import with the version that is named, or a newer one.',
  },
  DATABASE_EXPORT_OTHER_MIGRATIONS: {
    sentence: 'The export has other tables than this program makes; the database was not touched.',
    remedy: 'Import with an unaltered release.',
  },
  DATABASE_IMPORT_FAILED: {
    sentence: 'The import came to no end.',
    remedy:
      'Remove the cause that is named and import again; the database holds all of an import or nothing.',
  },
  DATA_DIRECTORY_IN_USE: {
    sentence: 'Another process works with this data directory.',
    remedy: 'Stop that process, or choose another data directory.',
  },
  DATA_DIRECTORY_NOT_WRITABLE: {
    sentence: 'The data directory cannot be written or entered by the account that needs it.',
    remedy: 'Correct the owner or the permissions of the folder that is named, or choose another one.',
  },
  DATA_DIRECTORY_OTHER_VERSION: {
    sentence: 'The data directory was made by another major version of PostgreSQL.',
    remedy: 'Start the release that made it, or set DATABASE_URL to a server that holds the data.',
  },
  EMBEDDED_POSTGRES_NOT_AVAILABLE: {
    sentence: 'The embedded PostgreSQL cannot be run here.',
    remedy: 'Set DATABASE_URL to a PostgreSQL 15 or newer, or remove the cause that is named.',
  },
  EMBEDDED_POSTGRES_FAILED: {
    sentence: 'The embedded PostgreSQL did not start or does not answer.',
    remedy: 'Read the lines of its log, remove the cause, and start again.',
  },
} as const;

/** A code of this package. */
export type DatabaseCode = keyof typeof databaseCatalogue;
