import type { LeftOutFires } from '@stillpoint/contract';
import type { Action } from '@stillpoint/core';

/** Where a backup belongs; `domain` is null for a secure backup. */
export type BackupPlace = {
  readonly action: Action;
  readonly device: string;
  readonly domain: string | null;
};

/** What a backup was like that a task made earlier; `durationMs` is null when its task has left the history. */
export type EarlierBackup = { readonly sizeBytes: number; readonly durationMs: number | null };

/** What has been of plans tells what will be of them. */
export interface PlanHistory {
  /** Fires that started no run of their own, by plan: the last five times, newest first. */
  leftOutFires(): Promise<ReadonlyMap<string, LeftOutFires[]>>;
  /** The last good backup of each place, in the order of the places; null where there is none. */
  earlierBackups(places: readonly BackupPlace[]): Promise<readonly (EarlierBackup | null)[]>;
  /** How long the last run took that had something to do, by plan, in milliseconds. */
  lastDurationsMs(): Promise<ReadonlyMap<string, number>>;
}
