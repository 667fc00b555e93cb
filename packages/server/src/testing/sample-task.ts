import { randomUUID } from 'node:crypto';
import { NO_RETRY, type TaskSpec } from '@stillpoint/core';

/** For tests: when a sample task was queued, in milliseconds since the epoch. */
export const sampleQueuedAt = Date.UTC(2026, 2, 29, 1);

/** For tests: an export of DOMAIN1 of QA1 with a new id, without quiesce and scripts. */
export function sampleTask(more: Partial<TaskSpec> & Pick<TaskSpec, 'runId'>): TaskSpec {
  return {
    taskId: randomUUID(),
    action: 'EXPORT_DOMAIN',
    device: 'QA1',
    domain: 'DOMAIN1',
    isAllDomains: false,
    isQuiesceAsked: false,
    secureBackup: null,
    preTaskScript: null,
    postTaskScript: null,
    errorPolicy: 'halt',
    retry: NO_RETRY,
    window: null,
    limits: {
      quiesceTimeoutSeconds: 120,
      quiesceGraceSeconds: 180,
      unquiesceTimeoutSeconds: 120,
      unquiesceGraceSeconds: 180,
      settleMs: 60_000,
      pollMs: 2_000,
      queueMaxMs: 24 * 3_600_000,
      minFreeStorePercent: 10,
      minFreeTemporaryMb: 512,
      verifiesExportHashes: true,
    },
    queuedAt: sampleQueuedAt,
    ...more,
  };
}

/** For tests: a secure backup of QA1. */
export function sampleSecureBackup(more: Partial<TaskSpec> & Pick<TaskSpec, 'runId'>): TaskSpec {
  const secureBackup = { certificate: 'dr-cert', includesIscsi: false, includesRaid: false };
  return sampleTask({ action: 'SECURE_BACKUP', domain: null, secureBackup, ...more });
}
