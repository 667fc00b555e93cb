import { createHmac } from 'node:crypto';
import type { NoticeToSend, Notifier, Sent } from '../../app/notifier.ts';
import { callUrl, originOf, type UrlAnswer } from './call-url.ts';
import { brokenOff, notSent, notSetUp } from './not-sent.ts';
import { type NoticeSettings, readNoticeParameters, revealSecret } from './notice-settings.ts';
import { bodyOf, type RemedyOf } from './notice-words.ts';

/** What a webhook is sent with. */
export type WebhookTools = {
  readonly settings: NoticeSettings;
  readonly remedyOf: RemedyOf;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
};

/** Posts notices as JSON, signed when webhook.secret is set. */
export class WebhookNotifier implements Notifier {
  readonly #tools: WebhookTools;

  constructor(tools: WebhookTools) {
    this.#tools = tools;
  }

  async send(notice: NoticeToSend, signal: AbortSignal): Promise<Sent> {
    const { settings, remedyOf, version, now } = this.#tools;
    const parameters = await readNoticeParameters(settings);
    const missing = notSetUp('webhook', parameters);
    if (missing !== null) return missing;
    const secret = await revealSecret(settings, 'webhook.secret');
    if (!secret.ok) return notSent('SECRET_NOT_READABLE', secret.fault.detail);
    const url = parameters['webhook.url'];
    const body = JSON.stringify(bodyOf(notice, remedyOf));
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': `Stillpoint/${version}`,
      'idempotency-key': notice.noticeId,
      ...(secret.value === '' ? {} : { 'stillpoint-signature': signatureOf(secret.value, body, now()) }),
    };
    const receiver = `The webhook at ${originOf(url)}`;
    try {
      const caPem = parameters['notices.caPem'];
      const answer = await callUrl({ url, method: 'POST', headers, body, caPem, signal });
      return judge(answer, receiver, now());
    } catch (error) {
      return brokenOff(receiver, error, 'unknown');
    }
  }
}

/** `t` is when it was signed, in seconds since the epoch; `v1` is the HMAC-SHA256, in hex, of `t`, a dot, and the body. */
function signatureOf(secret: string, body: string, now: number): string {
  const seconds = Math.floor(now / 1000);
  const hmac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${hmac}`;
}

function judge({ status, retryAfter }: UrlAnswer, receiver: string, now: number): Sent {
  if (status >= 200 && status < 300) return { ok: true, remark: null };
  const why = status >= 300 && status < 400 ? ', a redirect, which is not followed' : '';
  return notSent('RECEIVER_REFUSED', `${receiver} answered ${status}${why}.`, {
    askedPauseMs: retryAfter === null ? null : pauseIn(retryAfter, now),
  });
}

/** Seconds, or an instant; null for anything else. */
function pauseIn(retryAfter: string, now: number): number | null {
  if (/^\d{1,9}$/.test(retryAfter)) return Number(retryAfter) * 1000;
  const at = Date.parse(retryAfter);
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
