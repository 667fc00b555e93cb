import { type Appliance, type ApplianceAddress, openAppliance, type Reply } from '@stillpoint/datapower';
import type { StoredDefinitions } from './definitions.ts';

type Open = { readonly appliance: Appliance; readonly address: string };

/** The conversations with the devices: one per device, opened when it is needed, anew when its address has changed. */
export class Appliances {
  readonly #definitions: Pick<StoredDefinitions, 'addressOf'>;
  readonly #open = new Map<string, Open>();

  constructor(definitions: Pick<StoredDefinitions, 'addressOf'>) {
    this.#definitions = definitions;
  }

  /** Asks a device something; a device that was removed answers as one that cannot be reached. */
  async ask<Value>(
    device: string,
    question: (appliance: Appliance) => Promise<Reply<Value>>,
  ): Promise<Reply<Value>> {
    const address = await this.#definitions.addressOf(device);
    if (address === null) return unknownDevice(device);
    return question(this.#appliance(device, address));
  }

  /** Where a device is, for a process that opens a conversation of its own. */
  async addressOf(device: string): Promise<Reply<ApplianceAddress>> {
    const address = await this.#definitions.addressOf(device);
    return address === null ? unknownDevice(device) : { ok: true, value: address };
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map(({ appliance }) => appliance.close()));
    this.#open.clear();
  }

  #appliance(device: string, address: ApplianceAddress): Appliance {
    const key = JSON.stringify({ ...address, password: address.password.reveal() });
    const known = this.#open.get(device);
    if (known?.address === key) return known.appliance;
    void known?.appliance.close();
    const appliance = openAppliance(address);
    this.#open.set(device, { appliance, address: key });
    return appliance;
  }
}

function unknownDevice(device: string): Reply<never> {
  const detail = `The device ${device} is no longer defined.`;
  return { ok: false, fault: { code: 'DEVICE_UNREACHABLE', effect: 'none', retryable: false, detail } };
}
