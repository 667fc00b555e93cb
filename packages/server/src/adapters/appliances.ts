import type { Reply } from '@stillpoint/core';
import { type Appliance, type ApplianceAddress, openAppliance } from '@stillpoint/datapower';
import type { Conversation, Conversations } from '../programs/conversation.ts';
import type { StoredDefinitions } from './definitions.ts';

type Open = { readonly appliance: Appliance; readonly address: string };

/**
 * The connections to the devices: one per device, opened when it is needed, anew when its address has changed. Nothing is
 * sent over any of them while `maySend` says no: then this node may have lost to others what it wanted to send for.
 */
export class Appliances implements Conversations {
  readonly #definitions: Pick<StoredDefinitions, 'addressOf'>;
  readonly #maySend: () => boolean;
  readonly #open = new Map<string, Open>();

  constructor(definitions: Pick<StoredDefinitions, 'addressOf'>, maySend: () => boolean) {
    this.#definitions = definitions;
    this.#maySend = maySend;
  }

  talkTo(device: string, signal?: AbortSignal): Conversation {
    const ask: Conversation['ask'] = async (question) => {
      const address = await this.addressOf(device);
      return address.ok ? question(this.#appliance(device, address.value), { signal }) : address;
    };
    return {
      device,
      ask,
      async act(action) {
        const reply = await ask(action);
        return reply.ok ? { ok: true, value: null } : reply;
      },
    };
  }

  /** Where a device is, for a process that opens a connection of its own. */
  addressOf(device: string): Promise<Reply<ApplianceAddress>> {
    return this.#definitions.addressOf(device);
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
    const appliance = openAppliance(address, { maySend: this.#maySend });
    this.#open.set(device, { appliance, address: key });
    return appliance;
  }
}
