import { type DatabaseCode, databaseCatalogue } from './database-catalogue.ts';

/** What went wrong with the database, as data: `detail` names the thing and the value and never holds a secret. */
export type DatabaseFault = {
  readonly code: DatabaseCode;
  readonly effect: 'none' | 'unknown';
  readonly retryable: boolean;
  readonly detail: string;
};

/** Thrown when a database cannot be opened or migrated; nothing can be served without it, so it is not a value. */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError';
  readonly fault: DatabaseFault;

  constructor(fault: DatabaseFault, options?: ErrorOptions) {
    super(`${fault.code}: ${databaseCatalogue[fault.code].sentence} ${fault.detail}`, options);
    this.fault = fault;
  }
}

/** A refusal: nothing was changed and trying again unchanged is pointless. */
export function databaseRefusal(code: DatabaseCode, detail: string, cause?: unknown): DatabaseError {
  return new DatabaseError({ code, effect: 'none', retryable: false, detail }, { cause });
}

/** A failure of the world that may pass by itself. */
export function databaseFailure(code: DatabaseCode, detail: string, cause?: unknown): DatabaseError {
  return new DatabaseError({ code, effect: 'none', retryable: true, detail }, { cause });
}
