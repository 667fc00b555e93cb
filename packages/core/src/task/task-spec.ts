import type { Action, ErrorPolicy, Retry } from '../plan/plan.ts';
import type { MaintenanceWindow } from '../window/window.ts';

/** What a task quiesces. */
export type QuiesceScope = { readonly kind: 'domain'; readonly domain: string } | { readonly kind: 'device' };

/** The limits that hold for one task, taken from the parameters when its run was prepared. */
export type TaskLimits = {
  readonly quiesceTimeoutSeconds: number;
  readonly quiesceGraceSeconds: number;
  readonly unquiesceTimeoutSeconds: number;
  readonly unquiesceGraceSeconds: number;
  /** How long a request whose reply was lost may still land. */
  readonly settleMs: number;
  /** Pause between two looks at a device that is on its way. */
  readonly pollMs: number;
  readonly queueMaxMs: number;
  readonly minFreeStorePercent: number;
  readonly minFreeTemporaryMb: number;
  readonly verifiesExportHashes: boolean;
};

/** What a task is asked to do; it never changes after the task was queued. */
export type TaskSpec = {
  readonly taskId: string;
  readonly runId: string;
  readonly action: Action;
  readonly device: string;
  /** Null for a secure backup. */
  readonly domain: string | null;
  readonly isAllDomains: boolean;
  readonly isQuiesceAsked: boolean;
  readonly secureBackup: {
    readonly certificate: string;
    readonly includesIscsi: boolean;
    readonly includesRaid: boolean;
  } | null;
  readonly preTaskScript: string | null;
  readonly postTaskScript: { readonly script: string; readonly when: 'always' | 'onFailure' } | null;
  readonly errorPolicy: ErrorPolicy;
  readonly retry: Retry;
  /** Null when an admin overrode the window for this run. */
  readonly window: MaintenanceWindow | null;
  readonly limits: TaskLimits;
  /** Milliseconds since the epoch. */
  readonly queuedAt: number;
};

/** What a task is asked to do, as an earlier version may have kept it. */
export type KeptTaskSpec = Omit<TaskSpec, 'retry'> & Partial<Pick<TaskSpec, 'retry'>>;

/** The domain that no appliance can quiesce. */
export const DEFAULT_DOMAIN = 'default';

/** What this task quiesces, or null when it quiesces nothing. */
export function quiesceScopeOf(spec: TaskSpec): QuiesceScope | null {
  if (!spec.isQuiesceAsked) return null;
  if (spec.domain === null || spec.isAllDomains) return { kind: 'device' };
  return spec.domain === DEFAULT_DOMAIN ? null : { kind: 'domain', domain: spec.domain };
}
