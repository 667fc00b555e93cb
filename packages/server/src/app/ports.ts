import type {
  Backup,
  BackupQuery,
  Guard,
  Run,
  RunQuery,
  RunStatus,
  Task,
  TaskDetail,
  TaskQuery,
} from '@stillpoint/contract';
import type { Inventory, Parameters, Plan, Reply, RunSpec } from '@stillpoint/core';
import type { Page } from './application.ts';

/** How a device's certificate is judged: exactly one is given. */
export type DeviceTls = {
  readonly ca?: string | undefined;
  readonly pin?: string | undefined;
  readonly system?: true | undefined;
  readonly insecure?: true | undefined;
};

/** A device as it is kept, without its password. */
export type DeviceRecord = {
  readonly name: string;
  readonly host: string;
  readonly somaPort: number;
  readonly restPort: number | null;
  readonly username: string;
  readonly tls: DeviceTls;
  readonly tags: Readonly<Record<string, string>>;
  readonly isEnabled: boolean;
};

/** A device that is to be kept; without a password the kept one stays. */
export type DeviceChange = DeviceRecord & { readonly password: string | null };

/** What operators define. */
export interface Definitions {
  /** The parameters that were set. */
  parameterValues(): Promise<Readonly<Record<string, unknown>>>;
  /** By name. */
  devices(): Promise<readonly DeviceRecord[]>;
  /** Whether a password is kept for the device and equals the given one. */
  hasPassword(device: string, password: string): Promise<boolean>;
  /** By name. */
  plans(): Promise<readonly Plan[]>;
  /** All of it or nothing. */
  save(changes: {
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly devices: readonly DeviceChange[];
    readonly plans: readonly Plan[];
  }): Promise<void>;
}

/** What was found by testing a device; in the order of the questions, ending at the first that stops the test. */
export type DeviceFindings = {
  readonly firmware: Reply<{ serial: string | null; version: string; model: string | null }>;
  readonly backupMode?: Reply<string>;
  /** Clock of the device minus our own, in milliseconds. */
  readonly clockDifferenceMs?: Reply<number | null>;
  readonly domains?: Reply<readonly string[]>;
};

/** The devices themselves. */
export interface Fleet {
  /** The device's domains; those for which `wants` is true are also asked for API Connect. */
  readInventory(device: string, wants: (domain: string) => boolean): Promise<Inventory>;
  findOut(device: string): Promise<DeviceFindings>;
}

/** Room and origin of the store. */
export type StoreStatus = {
  readonly fileSystem: string;
  readonly freeBytes: number;
  readonly totalBytes: number;
  readonly freePercent: number;
};

/** What a rescan of the store changed in the catalogue. */
export type RescanOutcome = {
  readonly manifestsRead: number;
  readonly backupsAdded: number;
  readonly backupsUnchanged: number;
  readonly backupsMissing: number;
  readonly problems: readonly { readonly path: string; readonly detail: string }[];
};

/** The store that the parameters name. */
export interface Store {
  check(parameters: Parameters): Promise<Reply<StoreStatus>>;
  init(parameters: Parameters): Promise<Reply<null>>;
  rescan(parameters: Parameters): Promise<Reply<RescanOutcome>>;
}

/** What happened, as clients read it; a page is null when its cursor is not one of ours. */
export interface History {
  runs(query: RunQuery): Promise<Page<Run> | null>;
  run(id: string): Promise<Run | null>;
  /** The newest run of each plan. */
  lastRuns(): Promise<ReadonlyMap<string, { id: string; status: RunStatus; startedAt: string }>>;
  tasks(runId: string, query: TaskQuery): Promise<Page<Task> | null>;
  task(id: string): Promise<TaskDetail | null>;
  backups(query: BackupQuery): Promise<Page<Backup> | null>;
  guards(): Promise<Guard[]>;
}

/** The runs that go on. */
export interface Runs {
  /** Puts a run into the queue. */
  queue(spec: RunSpec): Promise<void>;
  /** False when the run has ended already. */
  cancel(id: string): Promise<boolean>;
}

/** Milliseconds since the epoch. */
export type Clock = () => number;
