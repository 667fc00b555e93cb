import { z } from 'zod';
import type { Appliance } from '../appliance.ts';
import { filesUnder } from '../content/file-store.ts';
import { currentCommand, isSaveNeeded, type QuiescePhase, quiescePhase } from '../device-state.ts';
import { type FaultOrder, type FaultOrderInput, faultOrderSchema } from '../faults/fault-order.ts';
import { sentencesOf } from './fleet-description.ts';

/** Changes somebody makes to an appliance behind its clients' backs. */
const deviceChangeSchema = z.strictObject({
  isDown: z.boolean().optional(),
  latencyMs: z.int().min(0).optional(),
  password: z.string().min(1).optional(),
  backupMode: z.enum(['secure', 'normal']).optional(),
  freeTemporaryMb: z.int().min(0).optional(),
  /** Quiesces or unquiesces the whole device at once, as somebody else would. */
  isQuiesced: z.boolean().optional(),
  domains: z
    .array(
      z.strictObject({
        name: z.string().min(1),
        saveNeeded: z.boolean().optional(),
        isQuiesced: z.boolean().optional(),
      }),
    )
    .optional(),
});

/** Changes to a device; what is left out stays as it is. */
export type DeviceChange = z.input<typeof deviceChangeSchema>;

/** One domain as it is now. */
export interface DomainView {
  readonly name: string;
  readonly phase: QuiescePhase;
  readonly isSaveNeeded: boolean;
  readonly currentCommand: string;
}

/** A device as it is now; never holds the password. */
export interface DeviceView {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly certificateSha256: string;
  readonly isDown: boolean;
  readonly latencyMs: number;
  readonly backupMode: 'secure' | 'normal';
  readonly freeTemporaryMb: number;
  readonly domains: readonly DomainView[];
  /** Paths below temporary: of the default domain. */
  readonly temporaryFiles: readonly string[];
  readonly openFaults: readonly FaultOrder[];
}

/** Where a device listens and how it proves who it is. */
export interface DeviceAddress {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly certificatePem: string;
  /** SHA-256 of the certificate's DER form, 64 lower-case hex digits. */
  readonly certificateSha256: string;
}

/** A request to a fleet or device that makes no sense; `problems` has one sentence for each reason. */
export class OrderRefused extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join('; '));
    this.name = 'OrderRefused';
    this.problems = problems;
  }
}

/** A running device as tests and the control port handle it. */
export class DeviceHandle {
  readonly address: DeviceAddress;
  readonly #appliance: Appliance;
  readonly #dropConnections: () => void;

  constructor(address: DeviceAddress, appliance: Appliance, dropConnections: () => void) {
    this.address = address;
    this.#appliance = appliance;
    this.#dropConnections = dropConnections;
  }

  /** The device as it is now. */
  view(): DeviceView {
    const { settings, state, faults } = this.#appliance;
    const now = this.#appliance.now();
    return {
      name: this.address.name,
      host: this.address.host,
      port: this.address.port,
      certificateSha256: this.address.certificateSha256,
      isDown: this.#appliance.isUnreachable,
      latencyMs: settings.latencyMs,
      backupMode: settings.backupMode,
      freeTemporaryMb: settings.freeTemporaryMb,
      domains: state.domains.map((domain) => ({
        name: domain.name,
        phase: quiescePhase(domain, now),
        isSaveNeeded: isSaveNeeded(domain),
        currentCommand: currentCommand(state, domain.name, now),
      })),
      temporaryFiles: filesUnder(this.#appliance.files('default').root('temporary:')).map(({ path }) => path),
      openFaults: faults.list(),
    };
  }

  /** One domain as it is now; throws when the device has no such domain. */
  domain(name: string): DomainView {
    const domain = this.view().domains.find((one) => one.name === name);
    if (domain === undefined) {
      throw new OrderRefused([`the device ${this.address.name} has no domain ${name}`]);
    }
    return domain;
  }

  /** Changes the device; throws and changes nothing when anything in the change makes no sense. */
  change(input: DeviceChange): void {
    const reading = deviceChangeSchema.safeParse(input);
    if (!reading.success) {
      throw new OrderRefused(sentencesOf(reading.error));
    }
    const { domains = [], isQuiesced, ...settings } = reading.data;
    const problems = domains.flatMap((domain) => this.#problemsOf(domain));
    if (problems.length > 0) {
      throw new OrderRefused(problems);
    }
    const given = Object.entries(settings).filter(([, value]) => value !== undefined);
    Object.assign(this.#appliance.settings, Object.fromEntries(given));
    if (isQuiesced !== undefined) {
      this.#setQuiesced(undefined, isQuiesced);
    }
    for (const domain of domains) {
      if (domain.isQuiesced !== undefined) {
        this.#setQuiesced(domain.name, domain.isQuiesced);
      }
      if (domain.saveNeeded !== undefined && domain.saveNeeded !== this.domain(domain.name).isSaveNeeded) {
        const kind = domain.saveNeeded ? 'change-configuration' : 'save-configuration';
        this.#appliance.step({ kind, domain: domain.name });
      }
    }
    if (reading.data.isDown === true) {
      this.#dropConnections();
    }
  }

  /** Orders a fault for the requests to come; throws when the order makes no sense. */
  orderFault(input: FaultOrderInput): void {
    const reading = faultOrderSchema.safeParse(input);
    if (!reading.success) {
      throw new OrderRefused(sentencesOf(reading.error));
    }
    this.#appliance.faults.order(reading.data);
  }

  /** Withdraws all faults that are still open. */
  clearFaults(): void {
    this.#appliance.faults.clear();
  }

  /** Restarts the device: quiesced domains, unsaved changes and connections are gone, and it is away for a while. */
  reboot(downMs = 0): void {
    this.#appliance.step({ kind: 'reboot', downMs });
    this.#dropConnections();
  }

  #problemsOf(domain: { name: string; isQuiesced?: boolean | undefined }): string[] {
    if (this.#appliance.domain(domain.name) === undefined) {
      return [`domains: the device ${this.address.name} has no domain ${domain.name}`];
    }
    const isImpossible = domain.name === 'default' && domain.isQuiesced !== undefined;
    return isImpossible ? ['domains: the domain default cannot be quiesced'] : [];
  }

  #setQuiesced(domain: string | undefined, isQuiesced: boolean): void {
    const pace = { takesMs: 0, ending: 'reached' } as const;
    const down = { timeoutSeconds: 60, delaySeconds: 0, pace };
    if (domain === undefined) {
      this.#appliance.step(
        isQuiesced ? { kind: 'quiesce-device', ...down } : { kind: 'unquiesce-device', pace },
      );
    } else {
      this.#appliance.step(
        isQuiesced ? { kind: 'quiesce-domain', domain, ...down } : { kind: 'unquiesce-domain', domain, pace },
      );
    }
  }
}
