import type { NoticeContent, NoticeToSend } from '../../app/notifier.ts';
import { type RemedyOf, summaryOf } from './notice-words.ts';

/** Who writes lines of syslog. */
export type SyslogSource = { readonly hostName: string; readonly pid: number };

/** Facility "daemon" of RFC 5424. */
const FACILITY = 3;
const severities = { alert: 1, error: 3, warning: 4, notice: 5, informational: 6 } as const;

/** The enterprise number that RFC 5612 leaves to everybody, for there is none of our own. */
const STRUCTURED_DATA_ID = 'stillpoint@32473';

/** Marks the text after it as UTF-8. */
const BYTE_ORDER_MARK = '\uFEFF';

/** One line of syslog as RFC 5424 has it, in UTF-8 and of at most `limitBytes` bytes. */
export function syslogLine(
  { noticeId, createdAt, content }: NoticeToSend,
  { hostName, pid }: SyslogSource,
  remedyOf: RemedyOf,
  limitBytes: number,
): Buffer {
  const priority = FACILITY * 8 + severities[severityOf(content)];
  const time = new Date(createdAt).toISOString();
  const host = printable(hostName, 255);
  const head = `<${priority}>1 ${time} ${host} stillpoint ${pid} ${content.event}`;
  const data = Object.entries({ notice: noticeId, ...factsOf(content) })
    .map(([name, value]) => ` ${name}="${escaped(String(value))}"`)
    .join('');
  const start = `${head} [${STRUCTURED_DATA_ID}${data}] ${BYTE_ORDER_MARK}`;
  return cut(Buffer.from(`${start}${messageOf(content, remedyOf)}`), limitBytes);
}

function severityOf(content: NoticeContent): keyof typeof severities {
  if (content.event === 'TEST') return 'informational';
  if (content.event !== 'RUN_ENDED') return content.event === 'ALARM_RAISED' ? 'alert' : 'notice';
  if (content.status === 'SUCCEEDED') return 'informational';
  return content.status === 'FAILED' ? 'error' : 'warning';
}

function factsOf(content: NoticeContent): Readonly<Record<string, string | number>> {
  if (content.event === 'TEST') return {};
  if (content.event === 'RUN_ENDED') {
    const { runId: run, plan, status, counts } = content;
    return { run, plan, status, ...counts };
  }
  const { alarmId: alarm, code, subject } = content;
  return { alarm, code, subjectKind: subject.kind, subjectName: subject.name };
}

/** One line: some receivers end a line at a line break, whatever its length says. */
function messageOf(content: NoticeContent, remedyOf: RemedyOf): string {
  const parts = [summaryOf(content)];
  if (content.event === 'RUN_ENDED') {
    if (content.reason !== null) parts.push(`${content.reason.code}: ${content.reason.detail}`);
    for (const { status, device, domain, reason } of content.problems) {
      const place = domain === null ? device : `${device}/${domain}`;
      parts.push(`${status} ${place} ${reason?.code ?? '-'}: ${reason?.detail ?? '-'}`);
    }
    if (content.moreProblems > 0) parts.push(`and ${content.moreProblems} more`);
  } else if (content.event !== 'TEST') {
    parts.push(content.sentence, content.lastProblem ?? '', remedyOf(content.code));
  }
  return parts
    .filter((part) => part !== '')
    .join(' | ')
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** A value of structured data: three characters are escaped, none that controls is let through. */
function escaped(value: string): string {
  return value.replace(/\p{Cc}+/gu, ' ').replace(/["\\\]]/g, '\\$&');
}

/** What a field of the head may hold: printable ASCII without blanks. */
function printable(text: string, limit: number): string {
  const kept = text.replace(/[^\x21-\x7e]/g, '').slice(0, limit);
  return kept === '' ? '-' : kept;
}

/** Never in the middle of a character. */
function cut(line: Buffer, limitBytes: number): Buffer {
  if (line.length <= limitBytes) return line;
  const ending = Buffer.from('…');
  let end = limitBytes - ending.length;
  while (((line[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return Buffer.concat([line.subarray(0, end), ending]);
}
