import { NO_RETRY } from '../../plan/plan.ts';
import type { Fault } from '../../reason.ts';
import type { FetchedBackup } from '../task-effect.ts';
import type { TaskLimits, TaskSpec } from '../task-spec.ts';

/** Thursday, 1 January 2026, noon in UTC. */
export const TASK_START = Date.UTC(2026, 0, 1, 12);

/** The limits that the parameters give by default; a look every five seconds. */
const defaultLimits: TaskLimits = {
  quiesceTimeoutSeconds: 120,
  quiesceGraceSeconds: 180,
  unquiesceTimeoutSeconds: 120,
  unquiesceGraceSeconds: 180,
  settleMs: 60_000,
  pollMs: 5_000,
  queueMaxMs: 24 * 3_600_000,
  minFreeStorePercent: 10,
  minFreeTemporaryMb: 512,
  verifiesExportHashes: true,
};

/** An export of the domain A of TEST8, without quiesce and scripts, queued at {@link TASK_START}. */
export function exportTask(more: Partial<TaskSpec> = {}): TaskSpec {
  return {
    taskId: 't',
    runId: 'r',
    action: 'EXPORT_DOMAIN',
    device: 'TEST8',
    domain: 'A',
    isAllDomains: false,
    isQuiesceAsked: false,
    secureBackup: null,
    preTaskScript: null,
    postTaskScript: null,
    errorPolicy: 'halt',
    retry: NO_RETRY,
    window: null,
    limits: defaultLimits,
    queuedAt: TASK_START,
    ...more,
  };
}

/** An export that holds all domains of TEST8. */
export function allDomainsTask(more: Partial<TaskSpec> = {}): TaskSpec {
  return exportTask({ domain: 'all-domains', isAllDomains: true, ...more });
}

/** A secure backup of TEST8. */
export function secureBackupTask(more: Partial<TaskSpec> = {}): TaskSpec {
  const secureBackup = { certificate: 'dr-cert', includesIscsi: false, includesRaid: false };
  return exportTask({ action: 'SECURE_BACKUP', domain: null, secureBackup, ...more });
}

/** A reply that tells of a fault; `effect` is `none` unless told. */
export function faultReply(code: string, effect: Fault['effect'] = 'none'): { ok: false; fault: Fault } {
  return { ok: false, fault: { code, effect, retryable: true, detail: `It was ${code}.` } };
}

/** What a fetch of one file tells. */
export const oneFile: FetchedBackup = {
  device: { serialNumber: '0000001', model: 'IDG', firmwareVersion: '10.6.0.0', firmwareBuild: '1' },
  domains: ['A'],
  files: [{ name: 'A.zip', sizeBytes: 1, sha256: '0'.repeat(64), isPersisted: true }],
};
