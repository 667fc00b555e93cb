import type { Reply } from '@stillpoint/core';
import type { Appliance, ApplianceAddress, CallOptions } from '@stillpoint/datapower';

/** A conversation with one device, given up as a whole when its signal aborts. */
export type Conversation = {
  readonly device: string;
  /** Asks for something; a device that was removed answers as one that cannot be reached. */
  ask<Value>(
    question: (appliance: Appliance, call: CallOptions) => Promise<Reply<Value>>,
  ): Promise<Reply<Value>>;
  /** Has something done that has no answer but that it was accepted. */
  act(action: (appliance: Appliance, call: CallOptions) => Promise<Reply<void>>): Promise<Reply<null>>;
};

/** The devices, as programs talk to them. */
export interface Conversations {
  talkTo(device: string, signal: AbortSignal): Conversation;
  /** Where a device is, for a process that opens a connection of its own. */
  addressOf(device: string): Promise<Reply<ApplianceAddress>>;
}
