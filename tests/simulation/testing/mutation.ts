import type { Clock, Journal, Queue } from '@stillpoint/engine';
import type { Conversations, LatestParameters, Records } from '@stillpoint/server';
import type { MemoryTransaction } from '../../../packages/engine/src/testing/memory-database.ts';
import type { PretendMovers } from './pretend-movers.ts';

/** What a node is wired to, before it goes through its connection to the database. */
export type NodeParts = {
  readonly journal: Journal<MemoryTransaction>;
  readonly queue: Queue<MemoryTransaction>;
  readonly records: Records<MemoryTransaction>;
  readonly clock: Clock & { readonly suspendedMs?: number };
};

type Definitions = ConstructorParameters<typeof LatestParameters>[0];

/** A mistake in the wiring of a node, to see that the simulation would find it; by itself it changes nothing. */
export class Mutation {
  /** Neither the programs nor the network ask whether the node may still act. */
  readonly isFencingOff: boolean = false;

  plant(parts: NodeParts): NodeParts {
    return parts;
  }

  movers(movers: Pick<PretendMovers, 'order'>): Pick<PretendMovers, 'order'> {
    return movers;
  }

  appliances<Port extends Conversations>(appliances: Port): Port {
    return appliances;
  }

  definitions(definitions: Definitions): Definitions {
    return definitions;
  }
}
