import type { Sent } from '../../app/notifier.ts';
import type { HeartbeatReceiver } from '../../programs/heartbeat.ts';
import { callUrl, originOf } from './call-url.ts';
import { brokenOff, notSent } from './not-sent.ts';
import { type NoticeSettings, readNoticeParameters } from './notice-settings.ts';

/** Calls heartbeat.url. */
export class HeartbeatCaller implements HeartbeatReceiver {
  readonly #settings: Pick<NoticeSettings, 'parameterValues'>;
  readonly #version: string;

  constructor(settings: Pick<NoticeSettings, 'parameterValues'>, version: string) {
    this.#settings = settings;
    this.#version = version;
  }

  async everyMs(): Promise<number | null> {
    const parameters = await readNoticeParameters(this.#settings);
    return parameters['heartbeat.url'] === '' ? null : parameters['heartbeat.everySeconds'] * 1000;
  }

  async call(signal: AbortSignal): Promise<Sent> {
    const { 'heartbeat.url': url, 'notices.caPem': caPem } = await readNoticeParameters(this.#settings);
    if (url === '') return notSent('CHANNEL_NOT_SET_UP', 'The parameter heartbeat.url is not set.');
    const receiver = `The receiver of the heartbeat at ${originOf(url)}`;
    try {
      const headers = { 'user-agent': `Stillpoint/${this.#version}` };
      const { status } = await callUrl({ url, method: 'GET', headers, body: '', caPem, signal });
      if (status >= 200 && status < 300) return { ok: true, remark: null };
      return notSent('RECEIVER_REFUSED', `${receiver} answered ${status}.`);
    } catch (error) {
      return brokenOff(receiver, error, 'unknown');
    }
  }
}
