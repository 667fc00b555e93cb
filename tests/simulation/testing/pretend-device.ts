import {
  currentCommand,
  type DeviceCommand,
  type DeviceState,
  freshDeviceState,
  isSaveNeeded,
  type QuiesceEnding,
  type QuiescePhase,
  quiescePhase,
  stepDevice,
} from '@stillpoint/simulator';

/** Who took a domain down. */
export type Holder = 'us' | 'other';

/** What a pretend device is. */
export type PretendDeviceOptions = {
  readonly name: string;
  readonly serial: string;
  readonly domains: readonly { readonly name: string; readonly isSaveNeeded: boolean }[];
  readonly certificate: string;
  readonly quiesceMs: number;
  readonly unquiesceMs: number;
  readonly secureBackupMs: number;
  readonly isInBackupMode: boolean;
};

/** What an export of a pretend device consists of: it says itself whose it is. */
export type ExportContent = {
  readonly device: string;
  readonly serial: string;
  readonly domains: readonly string[];
  readonly isPersisted: boolean;
  readonly revision: number;
};

type Directory = { readonly files: readonly { readonly name: string; readonly visibleAt: number }[] };

/** The files of every secure backup. */
export const SECURE_BACKUP_FILES = ['root.tgz', 'config.tgz', 'local.tgz', 'backupmanifest.xml'] as const;

/** One appliance of the simulated world: the simulator's state machine in virtual time, and who holds what down. */
export class PretendDevice {
  readonly options: PretendDeviceOptions;
  /** Nobody reaches it. */
  isAway = false;
  /** How the next quiesces and unquiesces of a domain end; then they are reached. */
  readonly nextEndings: QuiesceEnding[] = [];
  readonly nextUnquiesceEndings: QuiesceEnding[] = [];
  /** Grows with whatever changes. */
  version = 0;
  /** Told when an unquiesce that came over the network meets what somebody else holds. */
  onOthersReleased: (domain: string) => void = () => {};
  readonly #now: () => number;
  readonly #holders = new Map<string, Holder>();
  readonly #directories = new Map<string, Directory>();
  #state: DeviceState;

  constructor(options: PretendDeviceOptions, now: () => number) {
    this.options = options;
    this.#now = now;
    this.#state = freshDeviceState([{ name: 'default', isSaveNeeded: false }, ...options.domains], now());
  }

  get name(): string {
    return this.options.name;
  }

  get isReachable(): boolean {
    return !this.isAway && this.#now() >= this.#state.downUntilAt;
  }

  get domainNames(): string[] {
    return this.#state.domains.map(({ name }) => name);
  }

  get directories(): ReadonlyMap<string, Directory> {
    return this.#directories;
  }

  has(domain: string): boolean {
    return this.#state.domains.some(({ name }) => name === domain);
  }

  phaseOf(domain: string): QuiescePhase {
    const found = this.#state.domains.find(({ name }) => name === domain);
    return found === undefined ? 'normal' : quiescePhase(found, this.#now());
  }

  /** Who keeps a domain from working; null when it works. */
  holderOf(domain: string): Holder | null {
    return this.phaseOf(domain) === 'normal' ? null : (this.#holders.get(domain) ?? null);
  }

  heldBy(holder: Holder): string[] {
    return this.domainNames.filter((name) => this.holderOf(name) === holder);
  }

  isSaveNeeded(domain: string): boolean {
    return this.#state.domains.some((found) => found.name === domain && isSaveNeeded(found));
  }

  commandOf(domain: string): string {
    return currentCommand(this.#state, domain, this.#now());
  }

  /** False when the device refuses: an unknown domain, or `default`. A null domain is the whole device. */
  quiesce(domain: string | null, timeoutSeconds: number, holder: Holder): boolean {
    return this.#each(domain, (name) => {
      const wasHeld = this.#holders.get(name);
      const phase = this.phaseOf(name);
      const pace = { takesMs: this.options.quiesceMs, ending: this.nextEndings.shift() ?? 'reached' };
      this.#step({ kind: 'quiesce-domain', domain: name, timeoutSeconds, delaySeconds: 0, pace });
      const isTaken = phase === 'normal' || phase === 'unquiescing' || wasHeld === undefined;
      if (isTaken) this.#holders.set(name, holder);
    });
  }

  /** False when the device refuses. A null domain is the whole device. */
  unquiesce(domain: string | null): boolean {
    return this.#each(domain, (name) => {
      if (this.holderOf(name) === 'other') this.onOthersReleased(name);
      const ending = this.nextUnquiesceEndings.shift() ?? 'reached';
      this.#step({
        kind: 'unquiesce-domain',
        domain: name,
        pace: { takesMs: this.options.unquiesceMs, ending },
      });
    });
  }

  /** Somebody sets everything moving by hand that is down. */
  releaseByHand(): void {
    for (const name of this.domainNames.filter((domain) => this.phaseOf(domain) !== 'normal')) {
      const pace = { takesMs: this.options.unquiesceMs, ending: 'reached' } as const;
      this.#step({ kind: 'unquiesce-domain', domain: name, pace });
    }
  }

  /** What is down goes through the way down once more. */
  flap(): void {
    for (const name of this.domainNames.filter((domain) => this.phaseOf(domain) === 'quiesced')) {
      const holder = this.#holders.get(name) ?? 'other';
      this.#step({ kind: 'unquiesce-domain', domain: name, pace: { takesMs: 0, ending: 'reached' } });
      this.quiesce(name, 60, holder);
    }
  }

  reboot(downMs: number): void {
    this.#step({ kind: 'reboot', downMs });
    this.#holders.clear();
    this.#directories.clear();
  }

  changeConfiguration(domain: string): void {
    this.#step({ kind: 'change-configuration', domain });
  }

  export(domains: readonly string[], isPersisted: boolean): ExportContent {
    const { name, serial } = this.options;
    const revision = Math.max(
      ...this.#state.domains
        .filter((domain) => domains.includes(domain.name))
        .map(({ runningRevision, savedRevision }) => (isPersisted ? savedRevision : runningRevision)),
    );
    return { device: name, serial, domains: [...domains], isPersisted, revision };
  }

  makeDirectory(url: string): boolean {
    if (this.#directories.has(url)) return false;
    this.#directories.set(url, { files: [] });
    return true;
  }

  removeDirectory(url: string): boolean {
    return this.#directories.delete(url);
  }

  /** Writes a secure backup over time, the manifest last; false when it cannot. */
  writeSecureBackup(url: string, certificate: string): boolean {
    const { secureBackupMs: takesMs, isInBackupMode } = this.options;
    if (!isInBackupMode || certificate !== this.options.certificate) return false;
    if (this.commandOf('default') !== '') return false;
    this.#step({ kind: 'begin-command', domain: 'default', name: 'secure-backup', takesMs });
    const share = takesMs / SECURE_BACKUP_FILES.length;
    const files = SECURE_BACKUP_FILES.map((name, at) => ({
      name,
      visibleAt: this.#now() + share * (at + 1),
    }));
    this.#directories.set(url, { files });
    return true;
  }

  /** The names of the files in a directory by now. */
  filesIn(url: string): readonly string[] {
    const files = this.#directories.get(url)?.files ?? [];
    return files.filter(({ visibleAt }) => visibleAt <= this.#now()).map(({ name }) => name);
  }

  #each(domain: string | null, act: (name: string) => void): boolean {
    if (domain !== null && (domain === 'default' || !this.has(domain))) return false;
    const names = domain === null ? this.domainNames.filter((name) => name !== 'default') : [domain];
    for (const name of names) act(name);
    return true;
  }

  #step(command: DeviceCommand): void {
    const step = stepDevice(this.#state, command, this.#now());
    if (!step.ok) throw new Error(`${this.name} refuses ${command.kind}: ${step.refusal}.`);
    this.#state = step.state;
    this.version += 1;
  }
}
