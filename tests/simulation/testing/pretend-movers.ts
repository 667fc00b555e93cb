import type { Appliance } from '@stillpoint/datapower';
import type { MoverOrder, MoverPool, MoverReply } from '@stillpoint/server';
import type { ReceivedFile } from '@stillpoint/store';
import type { Dice } from './dice.ts';
import type { Kernel } from './kernel.ts';
import { type ExportContent, SECURE_BACKUP_FILES } from './pretend-device.ts';
import type { PretendStore } from './pretend-store.ts';
import type { ProcessBoundary } from './process-boundary.ts';
import type { Trail } from './trail.ts';

/** How often what goes wrong with orders; from 0 to 1. */
export type DiskWeather = {
  /** The mover ends in the middle of an order. */
  readonly moverDied: number;
  /** The disk reports an error before anything changed, or after. */
  readonly ioError: number;
  /** What arrives ends too early. */
  readonly cutOff: number;
};

/** What the movers of one process of a node work with. */
export type MoverParts = {
  readonly kernel: Kernel;
  readonly dice: Dice;
  readonly trail: Trail;
  readonly boundary: ProcessBoundary;
  readonly nodeName: string;
  readonly store: PretendStore;
  readonly weather: () => DiskWeather;
  /** Whether the node may still act for its tasks. */
  readonly mayAct: () => boolean;
  /** The appliance that a mover talks to by itself; it is found by the address in the order. */
  readonly applianceAt: (host: string, isAlive: () => boolean) => Appliance;
};

type Failure = Extract<MoverReply, { ok: false }>;
type Options = Parameters<MoverPool['order']>[1];

/** The movers of one process: each order has a mover of its own, which lives in the world and dies with its process. */
export class PretendMovers {
  readonly #parts: MoverParts;

  constructor(parts: MoverParts) {
    this.#parts = parts;
  }

  /** The face of the pool, for the programs. */
  readonly order = ((order: MoverOrder, options: Options) =>
    new Promise<MoverReply>((resolve) => {
      new Mover(this.#parts, order, options, resolve).begin();
    })) as MoverPool['order'];
}

/** Puts together what an appliance sends. */
class TextSink {
  text = '';

  write(chunk: Uint8Array): void {
    this.text += Buffer.from(chunk).toString();
  }
}

/** One order in the hands of one mover. */
class Mover {
  readonly #parts: MoverParts;
  readonly #order: MoverOrder;
  readonly #options: Options;
  readonly #resolve: (reply: MoverReply) => void;
  #isOver = false;
  #isKilled = false;
  #callOff: () => void = () => {};

  constructor(parts: MoverParts, order: MoverOrder, options: Options, resolve: (reply: MoverReply) => void) {
    this.#parts = parts;
    this.#order = order;
    this.#options = options;
    this.#resolve = resolve;
  }

  begin(): void {
    const { boundary, dice, kernel, trail, nodeName, weather } = this.#parts;
    const { kind } = this.#order;
    trail.note('order', nodeName, `${kind}${'taskId' in this.#order ? ` ${this.#order.taskId}` : ''}`);
    if (this.#options.signal?.aborted === true) {
      this.#giveUp('ABORTED');
      return;
    }
    if (isForTask.has(kind) && !this.#parts.mayAct()) {
      this.#settle(failure('NODE_MAY_NOT_ACT', 'none', 'The node may not act for the task any more.'));
      return;
    }
    this.#options.signal?.addEventListener('abort', this.#onAbort);
    this.#callOff = boundary.after(this.#options.deadlineMs, () => this.#giveUp('STORE_NOT_RESPONDING'));
    if (dice.chance(weather().moverDied)) {
      trail.note('fault', nodeName, `the mover of ${kind} dies`);
      kernel.after(dice.between(1, 2_000), () => this.#giveUp('MOVER_DIED'));
    }
    void this.#work();
  }

  async #work(): Promise<void> {
    await this.#pass();
    const reply = await this.#perform();
    await this.#pass();
    this.#settle(reply);
  }

  #perform(): Promise<MoverReply> {
    const order = this.#order;
    switch (order.kind) {
      case 'checkStore':
        return this.#onDisk(() => ({ ok: true, value: this.#status() }));
      case 'fetchExport':
        return this.#fetchExport(order);
      case 'fetchSecureBackup':
        return this.#fetchSecureBackup(order);
      case 'publishBackup':
        return this.#onDisk(() => this.#publish(order));
      case 'discardBackup':
        return this.#onDisk(() => {
          this.#parts.store.discard(order.taskId);
          return { ok: true, value: undefined };
        });
      default:
        throw new Error(`The pretended movers take no order ${order.kind}.`);
    }
  }

  #status() {
    const { isFull } = this.#parts.store;
    const freePercent = isFull ? 1 : 60;
    const space = { freeBytes: freePercent * 1e9, totalBytes: 1e11, freePercent };
    return { storeId: 'store', fileSystem: 'nfs4', source: 'filer:/store', mountPoint: '/store', ...space };
  }

  #publish({ request }: MoverOrder<'publishBackup'>): MoverReply {
    const { store, trail } = this.#parts;
    const manifest = store.publish(request);
    if (manifest === null) return failure('STORE_FILE_MISSING', 'none', 'What was received is not there.');
    trail.note('publish', 'store', manifest.files.map(({ path }) => path).join(' '));
    return { ok: true, value: manifest };
  }

  async #fetchExport(order: MoverOrder<'fetchExport'>): Promise<MoverReply> {
    const { source, taskId, isPersisted } = order;
    const appliance = this.#applianceOf(source.address.host);
    const isAll = 'allDomains' in order.domains;
    const asked = 'allDomains' in order.domains ? (order.domains.allDomains ?? []) : order.domains;
    const sink = new TextSink();
    const domains = isAll ? ('all-domains' as const) : asked;
    const sent = await appliance.backUpDomains({ domains, isPersisted, comment: order.comment }, sink);
    if (!sent.ok) return sent;
    const name = isPersisted ? 'persisted.zip' : 'nonpersisted.zip';
    return this.#receive(taskId, name, sink.text, (file) => {
      const content = JSON.parse(sink.text) as ExportContent;
      const { expectedSerialNumber: serial } = source;
      if (serial !== null && content.serial !== serial)
        return failure('EXPORT_OF_ANOTHER_DEVICE', 'none', `It is an export of ${content.device}.`);
      if (content.domains.toSorted().join() !== asked.toSorted().join())
        return failure('EXPORT_WRONG_DOMAINS', 'none', `It holds ${content.domains.join()}.`);
      const { device: deviceName, serial: serialNumber, domains: found } = content;
      const writtenBy = { ...unsaid, deviceName, serialNumber };
      const verified = { domains: found, writtenBy, checkedHashes: 1, unpackedBytes: sent.value.sizeBytes };
      return { ok: true, value: { file, verified } };
    });
  }

  async #fetchSecureBackup(order: MoverOrder<'fetchSecureBackup'>): Promise<MoverReply> {
    const { source, taskId, directoryUrl } = order;
    const appliance = this.#applianceOf(source.address.host);
    const files: ReceivedFile[] = [];
    for (const name of SECURE_BACKUP_FILES.toReversed()) {
      const sink = new TextSink();
      const sent = await appliance.readFile(`${directoryUrl}/${name}`, sink);
      if (!sent.ok && sent.fault.code === 'FILE_NOT_READABLE') {
        const code = name === 'backupmanifest.xml' ? 'BACKUP_MANIFEST_MISSING' : 'BACKUP_FILE_MISSING';
        return failure(code, 'none', sent.fault.detail);
      }
      if (!sent.ok) return sent;
      const received = await this.#receive(taskId, name, sink.text, (file) => {
        files.push(file);
        return { ok: true, value: undefined };
      });
      if (!received.ok) return received;
    }
    return { ok: true, value: { files, manifest: { ...unsaid, files: [] } } };
  }

  #applianceOf(host: string): Appliance {
    return this.#parts.applianceAt(host, () => !this.#isKilled && !this.#parts.boundary.isDead);
  }

  /** Writes what arrived and has it verified. */
  #receive(
    taskId: string,
    name: string,
    text: string,
    verify: (file: ReceivedFile) => MoverReply,
  ): Promise<MoverReply> {
    const { store, dice, weather } = this.#parts;
    const isCutOff = dice.chance(weather().cutOff);
    return this.#onDisk(() => {
      if (store.isFull) return failure('STORE_OUT_OF_SPACE', 'none', 'The file system answered ENOSPC.');
      const { sizeBytes, sha256 } = store.receive(taskId, name, text, !isCutOff);
      if (isCutOff) return failure('EXPORT_TRUNCATED', 'none', `${name} ends too early.`);
      return verify({ name, sizeBytes, sha256 });
    });
  }

  /** One call on the disk: waits while it hangs, and may go wrong before or after it was made. */
  async #onDisk(call: () => MoverReply): Promise<MoverReply> {
    const { store, dice, weather, trail, nodeName } = this.#parts;
    await this.#pass();
    await store.whenResponding();
    // What the kernel of its machine was doing for it when it was killed may still take place.
    if (this.#isStopped() && dice.chance(0.7)) return new Promise(() => {});
    if (isForTask.has(this.#order.kind) && !this.#parts.mayAct())
      return failure('NODE_MAY_NOT_ACT', 'none', 'The node may not act for the task any more.');
    if (!store.isMounted)
      return failure('STORE_IS_NOT_MOUNTED', 'none', '/store lies on no mounted file system.');
    if (!dice.chance(weather().ioError)) return call();
    trail.note('fault', nodeName, `the disk fails during ${this.#order.kind}`);
    if (dice.chance(0.5)) call();
    return failure('STORE_IO_ERROR', 'unknown', 'The file system answered EIO.');
  }

  #isStopped(): boolean {
    return this.#isKilled || this.#parts.boundary.isDead;
  }

  /** Time goes on; a mover that was killed meanwhile does nothing more. */
  #pass(): Promise<void> {
    const { kernel, dice } = this.#parts;
    return new Promise((resolve) => {
      kernel.after(dice.between(1, 60), () => this.#isStopped() || resolve());
    });
  }

  readonly #onAbort = (): void => this.#giveUp('ABORTED');

  #giveUp(code: 'ABORTED' | 'MOVER_DIED' | 'STORE_NOT_RESPONDING'): void {
    if (this.#isOver) return;
    this.#isKilled = true;
    this.#settle(failure(code, 'unknown', `The order ${this.#order.kind} ended with ${code}.`));
  }

  #settle(reply: MoverReply): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#callOff();
    const { boundary } = this.#parts;
    boundary.enter(() => {
      this.#options.signal?.removeEventListener('abort', this.#onAbort);
      this.#resolve(reply);
    });
  }
}

const isForTask: ReadonlySet<string> = new Set([
  'fetchExport',
  'fetchSecureBackup',
  'publishBackup',
  'discardBackup',
]);

function failure(code: Failure['fault']['code'], effect: 'none' | 'unknown', detail: string): Failure {
  return { ok: false, fault: { code, effect, retryable: effect === 'unknown', detail } };
}

const unsaid = {
  model: null,
  firmwareVersion: null,
  firmwareBuild: null,
  serialNumber: null,
  machineType: null,
  writtenAt: null,
};
