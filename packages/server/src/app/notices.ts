import type { Notice, NoticeQuery, NoticeTest } from '@stillpoint/contract';
import { type Channel, channels } from '@stillpoint/core';
import type { Outcome, Page } from './application.ts';
import type { Notifier, Sent } from './notifier.ts';

/** The notices that were entered, as clients read them. */
export interface Notices {
  /** Newest first; null when the cursor is not one of ours. */
  page(query: NoticeQuery): Promise<Page<Notice> | null>;
  /** Has a notice tried now, and for three days more. */
  retry(id: string): Promise<Notice | 'delivered' | 'unknown'>;
}

/** What notices are sent by, outside of the order in which they wait. */
export type NoticePorts = {
  readonly notices: Notices;
  readonly notifiers: Readonly<Record<Channel, Notifier>>;
  readonly heartbeat: { call(signal: AbortSignal): Promise<Sent> };
  readonly now: () => number;
  readonly newRunId: () => string;
  readonly remedyOf: (code: string) => string;
};

type Tested = NoticeTest['channels'][number];

/** Whoever asks waits for the answer, so it comes within this time. */
const TEST_MS = 15_000;

/** Has a notice tried now; one that was delivered is not sent twice. */
export async function retryNotice(id: string, { notices }: NoticePorts): Promise<Outcome<Notice>> {
  const came = await notices.retry(id);
  if (typeof came !== 'string') return { ok: true, value: came };
  const problem =
    came === 'unknown'
      ? ({ code: 'NOTICE_NOT_FOUND', detail: `There is no notice "${id}".` } as const)
      : ({ code: 'NOTICE_ALREADY_DELIVERED', detail: `The notice ${id} was delivered.` } as const);
  return { ok: false, problem };
}

/** Sends a test by one channel or by all, now, and tells what came of it; a channel that was not asked for may be not set up. */
export async function testNotices(
  wanted: Tested['channel'] | undefined,
  ports: NoticePorts,
): Promise<Outcome<NoticeTest>> {
  const names = wanted === undefined ? ([...channels, 'heartbeat'] as const) : [wanted];
  const tested = await Promise.all(names.map((name) => testOne(name, ports)));
  return { ok: true, value: { channels: tested } };
}

async function testOne(channel: Tested['channel'], ports: NoticePorts): Promise<Tested> {
  const sent = await sendTest(channel, ports);
  if (sent.ok) {
    const sentence = ['The test was sent.', sent.remark].filter((text) => text !== null).join(' ');
    return { channel, outcome: 'sent', sentence };
  }
  const { code, detail } = sent.fault;
  const sentence = `${detail} ${ports.remedyOf(code)}`.trim();
  return { channel, outcome: code === 'CHANNEL_NOT_SET_UP' ? 'notSetUp' : 'failed', sentence };
}

function sendTest(channel: Tested['channel'], ports: NoticePorts): Promise<Sent> {
  const signal = AbortSignal.timeout(TEST_MS);
  if (channel === 'heartbeat') return ports.heartbeat.call(signal);
  const test = { noticeId: ports.newRunId(), createdAt: ports.now(), content: { event: 'TEST' } } as const;
  return ports.notifiers[channel].send(test, signal);
}
