import type { QuiesceScope } from './task-spec.ts';

/** One row of what a device says of its domains. */
export type DomainRow = {
  readonly domain: string;
  readonly isSaveNeeded: boolean;
  readonly quiesceState: 'normal' | 'quiescing' | 'quiesced' | 'unquiescing' | 'error';
};

/** Which configuration an export holds: the saved one, or the running one. */
export type ExportPart = { readonly isPersisted: boolean };

/** What a task can want of the world. Looks change nothing there; the others are recorded before they are begun. */
export type TaskEffect =
  | { readonly type: 'admit' }
  | { readonly type: 'checkStore' }
  | { readonly type: 'look' }
  | { readonly type: 'inspectSecureBackup' }
  | { readonly type: 'runPreScript' }
  | { readonly type: 'quiesce'; readonly scope: QuiesceScope; readonly timeoutSeconds: number }
  | { readonly type: 'createSecureBackup' }
  | { readonly type: 'fetchSecureBackup' }
  | { readonly type: 'fetchExport'; readonly part: ExportPart }
  | { readonly type: 'publishBackup' }
  | { readonly type: 'unquiesce'; readonly scope: QuiesceScope }
  | { readonly type: 'removeSecureBackup' }
  | { readonly type: 'discardBackup' }
  | { readonly type: 'runPostScript'; readonly statusCode: string; readonly message: string | null };

/** What is known of the device that a backup comes from; null where the device does not say. */
export type DeviceIdentity = {
  readonly serialNumber: string | null;
  readonly model: string | null;
  readonly firmwareVersion: string | null;
  readonly firmwareBuild: string | null;
};

/** What arrived in the store's incoming folder, verified. */
export type FetchedBackup = {
  readonly device: DeviceIdentity;
  /** The domains in it; empty for a secure backup. */
  readonly domains: readonly string[];
  readonly files: readonly {
    readonly name: string;
    readonly sizeBytes: number;
    readonly sha256: string;
    /** Null for a secure backup. */
    readonly isPersisted: boolean | null;
  }[];
};

/** A file at its published path, relative to the root of the store. */
export type PublishedFile = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly isPersisted: boolean | null;
};

/** What each effect answers when it went well. */
export type TaskOutcomes = {
  /** The run's order to stop, if there is one. */
  readonly admit: { readonly stop: { readonly code: string; readonly detail: string } | null };
  readonly checkStore: { readonly freePercent: number };
  readonly look: { readonly rows: readonly DomainRow[]; readonly isGuardedByOther: boolean };
  readonly inspectSecureBackup: {
    readonly backupMode: string;
    readonly isCertificateUp: boolean;
    readonly freeTemporaryMb: number;
  };
  readonly runPreScript: { readonly exitCode: number };
  readonly quiesce: null;
  readonly createSecureBackup: null;
  readonly fetchSecureBackup: FetchedBackup;
  readonly fetchExport: FetchedBackup;
  /** `takenAt`: milliseconds since the epoch, the time stamp in the paths. */
  readonly publishBackup: { readonly takenAt: number; readonly files: readonly PublishedFile[] };
  readonly unquiesce: null;
  readonly removeSecureBackup: null;
  readonly discardBackup: null;
  readonly runPostScript: { readonly exitCode: number };
};

/** The name of an effect. */
export type TaskEffectType = TaskEffect['type'];

const looks: ReadonlySet<TaskEffectType> = new Set(['admit', 'checkStore', 'look', 'inspectSecureBackup']);

/** Whether an effect only looks, so that nothing needs to be recorded before it and it can be repeated blind. */
export function isLook(effect: TaskEffect): boolean {
  return looks.has(effect.type);
}
