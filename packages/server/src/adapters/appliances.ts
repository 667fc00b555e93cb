import type { Reply } from '@stillpoint/core';
import { type Appliance, type ApplianceAddress, openAppliance } from '@stillpoint/datapower';
import type { Conversation, Conversations } from '../programs/conversation.ts';
import type { StoredDefinitions } from './definitions.ts';

/** How long the address of a device holds within one conversation. */
const LOOK_UP_AGAIN_MS = 5_000;

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
    // A conversation of many questions looks the address up now and then, so that a new password is heard of.
    let known: { readonly at: number; readonly address: ApplianceAddress } | null = null;
    const lookUp = async (): Promise<Reply<ApplianceAddress>> => {
      const at = performance.now();
      if (known !== null && at - known.at < LOOK_UP_AGAIN_MS) return { ok: true, value: known.address };
      const found = await this.addressOf(device);
      known = found.ok ? { at, address: found.value } : null;
      return found;
    };
    const ask: Conversation['ask'] = async (question) => {
      const address = await lookUp();
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
