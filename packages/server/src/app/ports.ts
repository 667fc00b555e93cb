import type {
  Alarm,
  AlarmQuery,
  Backup,
  BackupQuery,
  Guard,
  Node,
  Run,
  RunQuery,
  RunStatus,
  ScriptKind,
  ScriptOutput,
  Task,
  TaskDetail,
  TaskQuery,
} from '@stillpoint/contract';
import type {
  Fault,
  Inventory,
  Parameters,
  Plan,
  Reply,
  RunSpec,
  SecretParameterName,
} from '@stillpoint/core';
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
  /** The parameters that were set; of a secret one only its name, with null. */
  parameterValues(): Promise<Readonly<Record<string, unknown>>>;
  /** Whether a secret parameter was set and equals the given one. */
  hasSecret(name: SecretParameterName, value: string): Promise<boolean>;
  /** By name. */
  devices(): Promise<readonly DeviceRecord[]>;
  /** Whether a password is kept for the device and equals the given one. */
  hasPassword(device: string, password: string): Promise<boolean>;
  /** By name. */
  plans(): Promise<readonly Plan[]>;
  /** All of it or nothing. A secret parameter that is an empty text is no longer set. */
  save(changes: {
    readonly parameters: Readonly<Record<string, unknown>>;
    readonly devices: readonly DeviceChange[];
    readonly plans: readonly Plan[];
    /** Who does it, for the record of changed parameters. */
    readonly changedBy?: string;
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

/** Whether a domain's being API Connect's is asked for, or may be known from the last ten minutes; domains are always asked for. */
export type InventorySource = 'live' | 'remembered';

/** The devices themselves; a signal gives up what is asked of them. */
export interface Fleet {
  /** The device's domains; those for which `wants` is true are also asked for API Connect. Live, unless said otherwise. */
  readInventory(
    device: string,
    wants: (domain: string) => boolean,
    signal?: AbortSignal,
    source?: InventorySource,
  ): Promise<Inventory>;
  findOut(device: string, signal?: AbortSignal): Promise<DeviceFindings>;
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
  /** A run as it was queued, whether it has ended, and how many of its tasks did not come to a backup. */
  runToRepeat(
    id: string,
  ): Promise<{ readonly spec: RunSpec; readonly isOver: boolean; readonly tasksToRepeat: number } | null>;
  /** The newest run of each plan. */
  lastRuns(): Promise<ReadonlyMap<string, { id: string; status: RunStatus; startedAt: string }>>;
  tasks(runId: string, query: TaskQuery): Promise<Page<Task> | null>;
  task(id: string): Promise<TaskDetail | null>;
  /** What the scripts of a run (not of its tasks) printed. */
  runScripts(id: string): Promise<ScriptOutput[]>;
  backups(query: BackupQuery): Promise<Page<Backup> | null>;
  /** Those that are open. */
  guards(): Promise<Guard[]>;
  /** Also one that was released. */
  guard(id: string): Promise<{ readonly guard: Guard; readonly isReleased: boolean } | null>;
}

/** The runs that go on. */
export interface Runs {
  /** Puts a run into the queue. */
  queue(spec: RunSpec): Promise<void>;
  /** False when the run has ended already. */
  cancel(id: string): Promise<boolean>;
  /** Tells one task to stop at its next safe point; false when it has ended already. */
  cancelTask(id: string): Promise<boolean>;
}

/** What was seen and done in one round on a guard. */
export type Attempt = {
  /** What the guard holds and was not seen running; empty also when nobody answered. */
  readonly seen: readonly { readonly domain: string; readonly quiesceState: string }[];
  /** The device accepted an unquiesce. */
  readonly isSent: boolean;
  readonly isReleased: boolean;
  /** Why it could not be looked at or unquiesced; null when nothing stood in the way. */
  readonly problem: string | null;
};

/** What sets moving again what tasks left quiesced. */
export interface Undoer {
  /** One round on a guard without an owner, now. `busy`: another node is at it, or the guard is no longer such a one. */
  workOnNow(guardId: string): Promise<Attempt | 'busy'>;
}

/** A file of the scripts folder; `problem` says why it cannot be run, null for nothing. */
export type ScriptFile = {
  readonly name: string;
  readonly sizeBytes: number;
  readonly problem: Fault | null;
};

/** What became of a script that was run with sample data. */
export type ScriptTrial = {
  readonly folder: string;
  readonly args: readonly string[];
  /** Names of variables. */
  readonly environment: readonly string[];
  readonly facts: Readonly<Record<string, string | number | null>>;
  readonly reply: Reply<{ readonly exitCode: number }>;
  readonly durationMs: number;
  readonly output: string;
};

/** The scripts folder as this node sees it. */
export interface ScriptFolder {
  /** By name. */
  list(): Promise<{ readonly folder: string; readonly files: Reply<readonly ScriptFile[]> }>;
  /** What keeps a script from being run; null for nothing. */
  problemOf(name: string): Promise<Fault | null>;
  /** Runs one with sample data. */
  tryOut(name: string, kind: ScriptKind): Promise<ScriptTrial>;
}

/** The nodes that share the database. */
export interface Nodes {
  /** By name. */
  list(): Promise<readonly Node[]>;
  /** Takes effect with the node's next beat. */
  setDraining(name: string, isDraining: boolean): Promise<'done' | 'stopped' | 'unknown'>;
}

/** What is wrong and wants a human. */
export interface Alarms {
  /** Newest first; null when the cursor is not one of ours. */
  page(query: AlarmQuery): Promise<Page<Alarm> | null>;
  /** Null when it is unknown. */
  acknowledge(id: string, by: string, note: string | null): Promise<Alarm | null>;
}

/** Milliseconds since the epoch. */
export type Clock = () => number;
