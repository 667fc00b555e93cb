import type { CallOptions, Reply } from '@stillpoint/datapower';
import type { PretendDevice } from './pretend-device.ts';

/** One question to a device: what it is called in the trail, what it does there, and how long its asker waits. */
export type WireRequest<Value> = CallOptions & {
  readonly name: string;
  readonly kind: 'read' | 'action';
  readonly usualDeadlineMs: number;
  /** What the device does with it when it arrives, and says. */
  readonly perform: (device: PretendDevice) => Reply<Value>;
};

/** The way between one asker and one device, with all that can happen on it. */
export interface Wire {
  exchange<Value>(request: WireRequest<Value>): Promise<Reply<Value>>;
}
