/** How far a domain is on its way down or up; `normal` is an empty `QuiesceState` on the wire. */
export type QuiescePhase = 'normal' | 'quiescing' | 'quiesced' | 'unquiescing' | 'error';

/** How a quiesce or unquiesce that was accepted is going to end. */
export type QuiesceEnding = 'reached' | 'never' | 'error';

/** A way down or up that was begun; whether it has ended follows from the time alone. */
export interface QuiesceProcess {
  readonly direction: 'down' | 'up';
  readonly ending: QuiesceEnding;
  /** Milliseconds since the epoch; infinite when it never ends. */
  readonly endsAt: number;
}

/** One application domain as the appliance keeps it. */
export interface DomainState {
  readonly name: string;
  /** Counts changes of the running configuration; unsaved changes are those past `savedRevision`. */
  readonly runningRevision: number;
  readonly savedRevision: number;
  readonly quiesce: QuiesceProcess | undefined;
}

/** A long command that `DomainStatus/CurrentCommand` shows until it ends. */
export interface RunningCommand {
  readonly domain: string;
  readonly name: string;
  readonly endsAt: number;
}

/** What changes on an appliance over time; everything else about it is its description. */
export interface DeviceState {
  readonly domains: readonly DomainState[];
  readonly commands: readonly RunningCommand[];
  readonly bootedAt: number;
  /** After a reboot no connection is accepted before this instant. */
  readonly downUntilAt: number;
}

/** How long a quiesce or unquiesce takes and how it ends. */
export interface QuiescePace {
  readonly takesMs: number;
  readonly ending: QuiesceEnding;
}

/** What the appliance is told to do. */
export type DeviceCommand =
  | { kind: 'quiesce-device'; timeoutSeconds: number; delaySeconds: number; pace: QuiescePace }
  | { kind: 'unquiesce-device'; pace: QuiescePace }
  | {
      kind: 'quiesce-domain';
      domain: string;
      timeoutSeconds: number;
      delaySeconds: number;
      pace: QuiescePace;
    }
  | { kind: 'unquiesce-domain'; domain: string; pace: QuiescePace }
  | { kind: 'change-configuration'; domain: string }
  | { kind: 'save-configuration'; domain: string }
  | { kind: 'begin-command'; domain: string; name: string; takesMs: number }
  | { kind: 'reboot'; downMs: number };

/** Either the state after the command, or why the appliance refuses it and stays as it was. */
export type DeviceStep =
  | { ok: true; state: DeviceState }
  | { ok: false; refusal: 'DOMAIN_UNKNOWN' | 'DEFAULT_CANNOT_BE_QUIESCED' };

/** The state of an appliance that has just started: nothing quiesced, nothing going on. */
export function freshDeviceState(
  domains: readonly { name: string; isSaveNeeded: boolean }[],
  now: number,
): DeviceState {
  return {
    domains: domains.map(({ name, isSaveNeeded }) => ({
      name,
      runningRevision: isSaveNeeded ? 1 : 0,
      savedRevision: 0,
      quiesce: undefined,
    })),
    commands: [],
    bootedAt: now,
    downUntilAt: now,
  };
}

/** Where a domain is on its way down or up at the given instant. */
export function quiescePhase(domain: DomainState, now: number): QuiescePhase {
  const process = domain.quiesce;
  if (process === undefined) {
    return 'normal';
  }
  if (now < process.endsAt) {
    return process.direction === 'down' ? 'quiescing' : 'unquiescing';
  }
  if (process.ending === 'error') {
    return 'error';
  }
  return process.direction === 'down' ? 'quiesced' : 'normal';
}

/** The long command a domain is busy with at the given instant, or the empty string. */
export function currentCommand(state: DeviceState, domain: string, now: number): string {
  return state.commands.find((command) => command.domain === domain && now < command.endsAt)?.name ?? '';
}

/** Whether the running configuration of a domain differs from the saved one. */
export function isSaveNeeded(domain: DomainState): boolean {
  return domain.runningRevision !== domain.savedRevision;
}

/** Applies one command to an appliance; pure, so that histories can be replayed in any clock. */
export function stepDevice(state: DeviceState, command: DeviceCommand, now: number): DeviceStep {
  switch (command.kind) {
    case 'quiesce-device':
      return done(changeAll(state, (domain) => beginDown(domain, command, now)));
    case 'unquiesce-device':
      return done(changeAll(state, (domain) => beginUp(domain, command.pace, now)));
    case 'quiesce-domain':
      if (command.domain === 'default') {
        return { ok: false, refusal: 'DEFAULT_CANNOT_BE_QUIESCED' };
      }
      return changeOne(state, command.domain, (domain) => beginDown(domain, command, now));
    case 'unquiesce-domain':
      return changeOne(state, command.domain, (domain) => beginUp(domain, command.pace, now));
    case 'change-configuration':
      return changeOne(state, command.domain, (domain) => ({
        ...domain,
        runningRevision: domain.runningRevision + 1,
      }));
    case 'save-configuration':
      return changeOne(state, command.domain, (domain) => ({
        ...domain,
        savedRevision: domain.runningRevision,
      }));
    case 'begin-command':
      return done(beginCommand(state, command, now));
    case 'reboot':
      return done(reboot(state, now, command.downMs));
  }
}

function done(state: DeviceState): DeviceStep {
  return { ok: true, state };
}

function changeAll(state: DeviceState, change: (domain: DomainState) => DomainState): DeviceState {
  const domains = state.domains.map((domain) => (domain.name === 'default' ? domain : change(domain)));
  return { ...state, domains };
}

function changeOne(
  state: DeviceState,
  name: string,
  change: (domain: DomainState) => DomainState,
): DeviceStep {
  if (!state.domains.some((domain) => domain.name === name)) {
    return { ok: false, refusal: 'DOMAIN_UNKNOWN' };
  }
  const domains = state.domains.map((domain) => (domain.name === name ? change(domain) : domain));
  return done({ ...state, domains });
}

function beginDown(
  domain: DomainState,
  command: { timeoutSeconds: number; delaySeconds: number; pace: QuiescePace },
  now: number,
): DomainState {
  const isStuck = domain.quiesce?.direction === 'down' && domain.quiesce.endsAt === Number.POSITIVE_INFINITY;
  const phase = quiescePhase(domain, now);
  if (!isStuck && (phase === 'quiesced' || phase === 'quiescing')) {
    return domain;
  }
  // The appliance waits at most the time-out for open transactions, then goes down without them.
  const drainMs = Math.min(command.pace.takesMs, command.timeoutSeconds * 1000);
  const pace = { ...command.pace, takesMs: command.delaySeconds * 1000 + drainMs };
  return { ...domain, quiesce: beginProcess('down', pace, now) };
}

function beginUp(domain: DomainState, pace: QuiescePace, now: number): DomainState {
  const isStuck = domain.quiesce?.direction === 'up' && domain.quiesce.endsAt === Number.POSITIVE_INFINITY;
  const phase = quiescePhase(domain, now);
  if (!isStuck && (phase === 'normal' || phase === 'unquiescing')) {
    return domain;
  }
  return { ...domain, quiesce: beginProcess('up', pace, now) };
}

function beginProcess(direction: 'down' | 'up', pace: QuiescePace, now: number): QuiesceProcess {
  const endsAt = pace.ending === 'never' ? Number.POSITIVE_INFINITY : now + pace.takesMs;
  return { direction, ending: pace.ending, endsAt };
}

function beginCommand(
  state: DeviceState,
  command: { domain: string; name: string; takesMs: number },
  now: number,
): DeviceState {
  const stillGoing = state.commands.filter((one) => now < one.endsAt);
  const begun = { domain: command.domain, name: command.name, endsAt: now + command.takesMs };
  return { ...state, commands: [...stillGoing, begun] };
}

// Memory is lost: unsaved changes and everything quiesced; only the saved configuration comes back.
function reboot(state: DeviceState, now: number, downMs: number): DeviceState {
  return {
    domains: state.domains.map((domain) => ({
      ...domain,
      runningRevision: domain.savedRevision,
      quiesce: undefined,
    })),
    commands: [],
    bootedAt: now,
    downUntilAt: now + downMs,
  };
}
