import type { NoticeToSend, Notifier, Sent } from '../app/notifier.ts';

/** For tests: a channel in memory, with a receiver that can be taken away. */
export class RememberedNotifier implements Notifier {
  /** In the order of their arrival. */
  readonly arrived: NoticeToSend[] = [];
  isSetUp = true;
  state: 'answers' | 'down' | 'silent' = 'answers';

  async send(notice: NoticeToSend, signal: AbortSignal): Promise<Sent> {
    if (!this.isSetUp) return faultOf('CHANNEL_NOT_SET_UP', 'none', 'The parameter is not set.');
    if (signal.aborted) return outOfTime;
    if (this.state === 'down') return faultOf('RECEIVER_UNREACHABLE', 'unknown', 'The receiver is down.');
    if (this.state === 'silent') {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      return outOfTime;
    }
    this.arrived.push(structuredClone(notice));
    return { ok: true, remark: null };
  }
}

function faultOf(code: string, effect: 'none' | 'unknown', detail: string): Sent {
  return { ok: false, fault: { code, effect, retryable: true, detail }, askedPauseMs: null };
}

const outOfTime = faultOf('RECEIVER_TIMED_OUT', 'unknown', 'The receiver did not answer in time.');
