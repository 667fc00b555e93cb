import type { Reason } from '@stillpoint/core';
import type { AlarmChange, NoticeContent, NoticeToSend, RunDigest } from '../../app/notifier.ts';

/** The remedy that belongs to a code; empty for one that no catalogue has. */
export type RemedyOf = (code: string) => string;

/** What a notice tells, in one line. */
export function summaryOf(content: NoticeContent): string {
  if (content.event === 'TEST') return 'This is a test: notices arrive here.';
  if (content.event === 'RUN_ENDED')
    return `The run of ${content.plan} ended ${content.status}: ${countsText(content.counts)}.`;
  const { code, subject } = content;
  const what = content.event === 'ALARM_RAISED' ? 'Alarm' : 'Alarm cleared:';
  return `${what} ${code} of ${subject.kind} ${subject.name}.`;
}

/** What a notice tells, as people read it. */
export function textOf({ noticeId, content }: NoticeToSend, remedyOf: RemedyOf): string {
  return `${[summaryOf(content), ...blocksOf(content, remedyOf), `Notice ${noticeId}`].join('\n\n')}\n`;
}

/** What a notice tells, as programs read it. */
export function bodyOf({ noticeId, createdAt, content }: NoticeToSend, remedyOf: RemedyOf) {
  const head = {
    id: noticeId,
    event: content.event,
    createdAt: instant(createdAt),
    summary: summaryOf(content),
  };
  if (content.event === 'TEST') return head;
  const explained = (reason: Reason | null) =>
    reason === null ? null : { code: reason.code, sentence: reason.detail, remedy: remedyOf(reason.code) };
  if (content.event === 'RUN_ENDED') {
    const { event: _, runId: id, queuedAt, endedAt, reason, warnings, problems, ...run } = content;
    return {
      ...head,
      run: {
        ...{ id, ...run, queuedAt: instant(queuedAt), endedAt: instant(endedAt) },
        reason: explained(reason),
        warnings: warnings.map(explained),
        problems: problems.map((problem) => ({ ...problem, reason: explained(problem.reason) })),
      },
    };
  }
  const { event: _, alarmId: id, openedAt, closedAt, ...alarm } = content;
  return {
    ...head,
    alarm: {
      ...{ id, ...alarm, remedy: remedyOf(alarm.code), openedAt: instant(openedAt) },
      closedAt: closedAt === null ? null : instant(closedAt),
    },
  };
}

function blocksOf(content: NoticeContent, remedyOf: RemedyOf): string[] {
  if (content.event === 'TEST') return [];
  if (content.event === 'RUN_ENDED') return runBlocks(content, remedyOf);
  return alarmBlocks(content, remedyOf);
}

function runBlocks(run: RunDigest, remedyOf: RemedyOf): string[] {
  const facts = [
    `Run      ${run.runId} (${run.trigger})`,
    `Queued   ${instant(run.queuedAt)}`,
    `Ended    ${instant(run.endedAt)}`,
    ...(run.reason === null ? [] : [`Reason   ${reasonText(run.reason, remedyOf)}`]),
  ].join('\n');
  const warnings = run.warnings.map((warning) => `- ${reasonText(warning, remedyOf)}`);
  return [
    facts,
    ...(warnings.length === 0 ? [] : [['Warnings:', ...warnings].join('\n')]),
    ...(run.problems.length === 0 ? [] : [problemsText(run, remedyOf)]),
  ];
}

function problemsText({ problems, moreProblems, runId }: RunDigest, remedyOf: RemedyOf): string {
  const cells = problems.map(({ status, device, domain, reason }) => [
    status,
    device,
    domain ?? '-',
    reason?.code ?? '-',
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  const rows = problems.flatMap(({ reason }, index) => [
    (cells[index] ?? [])
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
    ...(reason === null ? [] : [reason.detail, remedyOf(reason.code)])
      .filter((line) => line !== '')
      .map((line) => `    ${line}`),
  ]);
  const more = moreProblems > 0 ? [`... and ${moreProblems} more: see "stillpoint run show ${runId}".`] : [];
  return ['Tasks that did not succeed:', ...rows, ...more].join('\n');
}

function alarmBlocks(alarm: AlarmChange, remedyOf: RemedyOf): string[] {
  const told = [alarm.sentence, alarm.lastProblem, alarm.closedAt === null ? remedyOf(alarm.code) : null];
  const closed = alarm.closedAt === null ? [] : [`Cleared  ${instant(alarm.closedAt)}`];
  return [
    told.filter((line) => line !== null && line !== '').join('\n'),
    [`Alarm    ${alarm.alarmId}`, `Raised   ${instant(alarm.openedAt)}`, ...closed].join('\n'),
  ];
}

function reasonText({ code, detail }: Reason, remedyOf: RemedyOf): string {
  return `${code}: ${detail} ${remedyOf(code)}`.trimEnd();
}

function countsText({ succeeded, failed, cancelled, skipped }: RunDigest['counts']): string {
  return `${succeeded} succeeded, ${failed} failed, ${cancelled} cancelled, ${skipped} skipped`;
}

const instant = (at: number): string => new Date(at).toISOString();
