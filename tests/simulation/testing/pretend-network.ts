import type { DatapowerCode, Reply } from '@stillpoint/datapower';
import type { Dice } from './dice.ts';
import type { Kernel } from './kernel.ts';
import type { PretendDevice } from './pretend-device.ts';
import type { Trail } from './trail.ts';
import type { Wire, WireRequest } from './wire.ts';

/** What can happen to a request; each weight is how often, beside those of the others. */
export type Weather = {
  /** Arrives, is carried out, and the answer comes back. */
  readonly fair: number;
  /** The same, seconds later. */
  readonly slow: number;
  /** No connection. */
  readonly unreachable: number;
  /** The connection breaks; the request never arrives. */
  readonly requestLost: number;
  /** The connection breaks after it was carried out. */
  readonly replyLost: number;
  /** The connection breaks; what changes something arrives all the same, before it is settled. */
  readonly late: number;
  /** No answer until the asker gives up. */
  readonly silent: number;
  /** The device says no. */
  readonly refused: number;
  /** Carried out, with an answer that nobody can read. */
  readonly unreadable: number;
  /** Carried out, with an answer without a byte. */
  readonly empty: number;
  /** An export of another device comes back. */
  readonly stranger: number;
};

/** Who asks: a process of a node, or a mover of it. */
export type Asker = {
  readonly name: string;
  enter(run: () => void): void;
  /** Asked right before anything leaves. */
  maySend(): boolean;
  /** Whether what is between the asker and the device is broken now. */
  isCutOff(device: string): boolean;
};

/** What the network is made of. */
export type NetworkParts = {
  readonly kernel: Kernel;
  readonly dice: Dice;
  readonly trail: Trail;
  readonly devices: ReadonlyMap<string, PretendDevice>;
  readonly weather: () => Weather;
  /** A request whose connection broke lands before this many milliseconds after it was sent, or never. */
  readonly settleMs: () => number;
  /** Told of every request that leaves; what it answers is called when the asker has heard what came of it. */
  readonly onSent: (asker: Asker, device: PretendDevice, request: WireRequest<unknown>) => () => void;
};

/** Requests that broke land this much before the time in which they may. */
const SETTLE_MARGIN_MS = 500;
const CONNECT_MS = 10_000;

/** The network between the nodes and the devices. */
export class PretendNetwork {
  readonly #parts: NetworkParts;

  constructor(parts: NetworkParts) {
    this.#parts = parts;
  }

  /** The way from an asker to a device. */
  wire(asker: Asker, device: PretendDevice): Wire {
    return {
      exchange: <Value>(request: WireRequest<Value>) =>
        new Promise<Reply<Value>>((resolve) => {
          new Exchange(this.#parts, asker, device, request, resolve).begin();
        }),
    };
  }
}

/** One request on its way, and what comes back. */
class Exchange<Value> {
  readonly #parts: NetworkParts;
  readonly #asker: Asker;
  readonly #device: PretendDevice;
  readonly #request: WireRequest<Value>;
  readonly #resolve: (reply: Reply<Value>) => void;
  #isOver = false;
  #heard: () => void = () => {};

  constructor(
    parts: NetworkParts,
    asker: Asker,
    device: PretendDevice,
    request: WireRequest<Value>,
    resolve: (reply: Reply<Value>) => void,
  ) {
    this.#parts = parts;
    this.#asker = asker;
    this.#device = device;
    this.#request = request;
    this.#resolve = resolve;
  }

  begin(): void {
    const { dice } = this.#parts;
    if (this.#request.signal?.aborted === true) this.#fail('ABORTED', 'none');
    else if (!this.#asker.maySend()) this.#fail('SENDING_NOT_ALLOWED', 'none');
    else if (this.#asker.isCutOff(this.#device.name)) {
      this.#after(dice.between(10, CONNECT_MS), () => this.#fail('DEVICE_UNREACHABLE', 'none'));
    } else this.#send();
  }

  #send(): void {
    const { dice, trail, weather, onSent } = this.#parts;
    const { name, kind, signal } = this.#request;
    trail.note(kind === 'action' ? 'action' : 'look', this.#asker.name, `${this.#device.name} ${name}`);
    this.#heard = onSent(this.#asker, this.#device, this.#request);
    signal?.addEventListener('abort', this.#onAbort);
    const lot = dice.weighed(weather());
    if (lot !== 'fair' && lot !== 'slow') trail.note('fault', this.#device.name, `${lot}: ${name}`);
    this.#ways[lot]();
  }

  readonly #ways: { readonly [Lot in keyof Weather]: () => void } = {
    fair: () => this.#carryOut(this.#latency(), (reply) => this.#finish(reply)),
    slow: () => this.#carryOut(this.#parts.dice.between(500, 8_000), (reply) => this.#finish(reply)),
    unreachable: () => this.#after(this.#latency(), () => this.#fail('DEVICE_UNREACHABLE', 'none')),
    requestLost: () => this.#after(this.#breakMs(), () => this.#fail('CONNECTION_LOST')),
    replyLost: () => this.#carryOut(this.#latency(), () => this.#fail('CONNECTION_LOST')),
    late: () => {
      const { dice, settleMs } = this.#parts;
      const latest = Math.max(settleMs() - SETTLE_MARGIN_MS, 0);
      this.#after(this.#breakMs(), () => this.#fail('CONNECTION_LOST'));
      if (this.#request.kind === 'action') this.#after(dice.between(0, latest), () => void this.#land());
    },
    silent: () => {
      const { deadlineMs, usualDeadlineMs } = this.#request;
      if (this.#parts.dice.chance(0.5)) this.#after(this.#latency(), () => void this.#land());
      this.#after(deadlineMs ?? usualDeadlineMs, () => this.#fail('DEADLINE_EXCEEDED'));
    },
    refused: () => {
      const code = this.#request.kind === 'action' ? 'ACTION_REFUSED' : 'STATUS_UNAVAILABLE';
      this.#after(this.#latency(), () => this.#fail(code, 'none'));
    },
    unreadable: () => this.#carryOut(this.#latency(), () => this.#fail('REPLY_NOT_XML')),
    empty: () => this.#carryOut(this.#latency(), () => this.#fail('REPLY_EMPTY')),
    stranger: () => {
      const isExport = this.#request.name.startsWith('backUpDomains');
      const others = [...this.#parts.devices.values()].filter((device) => device !== this.#device);
      const from = isExport && others.length > 0 ? this.#parts.dice.pick(others) : this.#device;
      this.#carryOut(this.#latency(), (reply) => this.#finish(reply), from);
    },
  };

  #carryOut(ms: number, then: (reply: Reply<Value>) => void, device = this.#device): void {
    this.#after(ms, () => {
      const reply = this.#land(device);
      if (reply === null) this.#fail('DEVICE_UNREACHABLE', 'none');
      else this.#after(this.#latency(), () => then(reply));
    });
  }

  /** The request arrives; null when nobody is there to take it. */
  #land(device = this.#device): Reply<Value> | null {
    const { trail } = this.#parts;
    const { name, kind, perform } = this.#request;
    if (!device.isReachable) return null;
    const reply = perform(device);
    if (kind === 'action')
      trail.note('landed', device.name, `${name}: ${reply.ok ? 'OK' : reply.fault.code}`);
    return reply;
  }

  #fail(code: DatapowerCode, effect: 'none' | 'unknown' = 'unknown'): void {
    const { name, kind } = this.#request;
    const detail = `${this.#device.name}: ${name} ended with ${code}.`;
    const retryable = retryableCodes.has(code);
    this.#finish({
      ok: false,
      fault: { code, effect: kind === 'read' ? 'none' : effect, retryable, detail },
    });
  }

  #finish(reply: Reply<Value>): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#heard();
    this.#asker.enter(() => {
      this.#request.signal?.removeEventListener('abort', this.#onAbort);
      this.#resolve(reply);
    });
  }

  readonly #onAbort = (): void => this.#fail('ABORTED');

  #after(ms: number, run: () => void): void {
    this.#parts.kernel.after(ms, run);
  }

  #latency(): number {
    return this.#parts.dice.between(1, 40);
  }

  #breakMs(): number {
    return this.#parts.dice.between(1, 3_000);
  }
}

const retryableCodes: ReadonlySet<DatapowerCode> = new Set([
  'DEVICE_UNREACHABLE',
  'CONNECTION_LOST',
  'DEADLINE_EXCEEDED',
  'REPLY_EMPTY',
]);

/** Nothing goes wrong. */
export const calm: Weather = {
  fair: 1,
  slow: 0,
  unreachable: 0,
  requestLost: 0,
  replyLost: 0,
  late: 0,
  silent: 0,
  refused: 0,
  unreadable: 0,
  empty: 0,
  stranger: 0,
};
