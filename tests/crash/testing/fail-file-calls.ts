// Loaded into a mover before its own code: lets the file call fail that the test names along with an order, and adds to
// each reply which calls were made and how many descriptors are open.

import { readdirSync } from 'node:fs';
import fileCalls from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { FailingDisk, type Failure } from '../../../packages/store/src/testing/failing-disk.ts';

/** What a reply of such a mover tells besides. */
export interface Trace {
  readonly asked: readonly string[];
  readonly openDescriptors: number;
}

const disk = new FailingDisk();
const calls: Record<string, unknown> = fileCalls as never;
Object.assign(calls, disk.wrap({ ...calls }));
syncBuiltinESMExports();

type Listener = (said: { failure: Failure }) => void;
type Channel = {
  on(event: string, listener: Listener): void;
  send(said: object, ...others: unknown[]): boolean;
};

const channel: Channel = process as never;
const listen = channel.on.bind(channel);
const send = channel.send.bind(channel);
channel.on = (event, listener) => {
  listen(event, (said) => {
    if (event === 'message') disk.fail(said.failure);
    listener(said);
  });
};
channel.send = (said, ...others) => {
  const trace: Trace = { asked: [...disk.asked], openDescriptors: readdirSync('/proc/self/fd').length };
  return send({ ...said, trace }, ...others);
};
