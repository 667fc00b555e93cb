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
