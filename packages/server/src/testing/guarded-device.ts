import type { Appliance, DomainStatus, QuiesceState, Reply } from '@stillpoint/datapower';

/** For tests: a device that obeys, or is away; it notes what it was asked to do. */
export class GuardedDevice {
  readonly domains: Map<string, QuiesceState>;
  readonly asked: string[] = [];
  /** The task that quiesced it. */
  taskId = '';
  isAway = false;
  isStubborn = false;
  /** Does what it is asked, and its reply gets lost. */
  losesReplies = false;
  beforeLook: () => Promise<void> = async () => undefined;
  afterLook: () => void = () => undefined;
  /** What it was asked is done and told only then. */
  beforeReply: () => Promise<void> = async () => undefined;
  /** The node that asks may not send anything. */
  isFenced = false;
  readonly #waiting: { readonly count: number; readonly resolve: () => void }[] = [];

  constructor(domains: Readonly<Record<string, QuiesceState>>) {
    this.domains = new Map(Object.entries(domains));
  }

  readonly appliance = {
    readDomainStatus: async () => {
      await this.beforeLook();
      const rows = this.#answer(() => this.#rows());
      this.afterLook();
      return rows;
    },
    unquiesceDomain: async (domain: string) => this.#unquiesce(`unquiesce ${domain}`, [domain]),
    unquiesceDevice: async () => this.#unquiesce('unquiesce device', [...this.domains.keys()]),
  } as unknown as Appliance;

  /** Resolves when it was asked so often to do something. */
  hasAsked(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ count, resolve });
      this.#wake();
    });
  }

  #wake(): void {
    for (const { count, resolve } of this.#waiting) if (this.asked.length >= count) resolve();
  }

  #rows(): DomainStatus[] {
    const rest = { isSaveNeeded: false, currentCommand: '', quiesceText: '' };
    return [...this.domains].map(([domain, quiesceState]) => ({ domain, quiesceState, ...rest }));
  }

  async #unquiesce(action: string, domains: readonly string[]): Promise<Reply<void>> {
    const reply = this.#answer<void>(() => {
      this.asked.push(action);
      this.#wake();
      if (!this.isStubborn) for (const domain of domains) this.domains.set(domain, 'normal');
    });
    await this.beforeReply();
    if (!this.losesReplies) return reply;
    const detail = 'The reply never came.';
    return { ok: false, fault: { code: 'CONNECTION_LOST', effect: 'unknown', retryable: true, detail } };
  }

  #answer<Value>(value: () => Value): Reply<Value> {
    if (this.isFenced) {
      const detail = 'Nothing may be sent.';
      return { ok: false, fault: { code: 'SENDING_NOT_ALLOWED', effect: 'none', retryable: true, detail } };
    }
    if (!this.isAway) return { ok: true, value: value() };
    const detail = 'Nobody answers.';
    return { ok: false, fault: { code: 'DEVICE_UNREACHABLE', effect: 'none', retryable: true, detail } };
  }
}
