import { randomUUID } from 'node:crypto';
import type { AlarmChange, NoticeContent, NoticeToSend, RunDigest } from '../app/notifier.ts';

const AT = Date.UTC(2026, 2, 29, 1);

/** For tests: the digest of a run of which one task failed. */
export function sampleDigest(more: Partial<RunDigest> = {}): RunDigest {
  return {
    event: 'RUN_ENDED',
    runId: '0198c1d2-0000-7000-8000-000000000001',
    plan: 'nightly',
    trigger: 'schedule',
    status: 'PARTIAL',
    reason: { code: 'SOME_TASKS_FAILED', detail: 'Of the tasks of nightly, one failed.' },
    warnings: [],
    queuedAt: AT,
    endedAt: AT + 90_000,
    counts: { succeeded: 3, failed: 1, cancelled: 0, skipped: 0 },
    problems: [
      {
        device: 'QA1',
        domain: 'DOMAIN1',
        status: 'FAILED',
        reason: { code: 'DOMAIN_ALREADY_QUIESCED', detail: 'QA1/DOMAIN1 is quiesced by somebody else.' },
      },
    ],
    moreProblems: 0,
    ...more,
  };
}

/** For tests: an alarm that opened. */
export function sampleAlarmChange(more: Partial<AlarmChange> = {}): AlarmChange {
  return {
    event: 'ALARM_RAISED',
    alarmId: '0198c1d2-0000-7000-8000-0000000000a1',
    code: 'DEVICE_LEFT_QUIESCED',
    subject: { kind: 'device', name: 'QA1' },
    sentence: 'QA1 is, or may be, quiesced by Stillpoint.',
    lastProblem: 'QA1 does not answer.',
    openedAt: AT,
    closedAt: null,
    ...more,
  };
}

/** For tests: a notice that tells of something. */
export function sampleNotice(content: NoticeContent = sampleDigest()): NoticeToSend {
  return { noticeId: randomUUID(), createdAt: AT + 91_000, content };
}
