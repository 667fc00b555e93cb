import type { DatabaseFault } from './database-error.ts';

/** Everything a database tells while it is open; `postgres…` events come from the embedded server only. */
export type DatabaseEvent =
  | {
      readonly kind: 'postgresStarted';
      readonly pid: number;
      readonly durationMs: number;
      readonly isAdopted: boolean;
    }
  | { readonly kind: 'postgresDied'; readonly pid: number; readonly detail: string }
  | { readonly kind: 'postgresRestartFailed'; readonly fault: DatabaseFault; readonly retryInMs: number }
  | {
      readonly kind: 'postgresRestarted';
      readonly pid: number;
      readonly downForMs: number;
      readonly isAdopted: boolean;
    }
  | { readonly kind: 'idleConnectionLost'; readonly detail: string };
