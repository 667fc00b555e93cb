import type { Appliance, DomainStatus, Reply } from '@stillpoint/datapower';
import type { Conversation, Conversations } from '@stillpoint/server';
import { Mutation, type NodeParts } from './mutation.ts';
import type { PretendMovers } from './pretend-movers.ts';

type Definitions = Parameters<Mutation['definitions']>[0];
type Movers = Pick<PretendMovers, 'order'>;

type Guards = NodeParts['records']['guards'];

function withGuards(parts: NodeParts, change: (guards: Guards) => Partial<Guards>): NodeParts {
  const guards = changed(parts.records.guards, change(parts.records.guards));
  return { ...parts, records: { ...parts.records, guards } };
}

/** The record that somebody is about to be quiesced is never written. */
class GuardNotWritten extends Mutation {
  override plant(parts: NodeParts): NodeParts {
    return withGuards(parts, () => ({ openGuard: async () => {} }));
  }
}

/** The guard is closed when the device was seen quiesced. */
class GuardClosedEarly extends Mutation {
  override plant(parts: NodeParts): NodeParts {
    return withGuards(parts, (guards) => ({
      markQuiesced: (trx, taskId, at) => guards.closeGuard(trx, taskId, at),
    }));
  }
}

/** Nobody comes for the guards of tasks that have ended. */
class OrphansIgnored extends Mutation {
  override plant(parts: NodeParts): NodeParts {
    return withGuards(parts, () => ({ claimOrphans: async () => [] }));
  }
}

/** An unquiesce is said to be accepted and never sent. */
class UndoSkipped extends Mutation {
  override appliances<Port extends Conversations>(appliances: Port): Port {
    const accepted = async (): Promise<Reply<void>> => ({ ok: true, value: undefined });
    return withAppliance(appliances, (appliance) => ({
      ...appliance,
      unquiesceDevice: accepted,
      unquiesceDomain: accepted,
    }));
  }
}

/** The first look sees nobody's quiesce. */
class LookSkipped extends Mutation {
  override appliances<Port extends Conversations>(appliances: Port): Port {
    const asked = new Set<AbortSignal | undefined>();
    return withAppliance(appliances, (appliance) => ({
      ...appliance,
      async readDomainStatus(options) {
        const rows = await appliance.readDomainStatus(options);
        if (!rows.ok || asked.has(options?.signal)) return rows;
        asked.add(options?.signal);
        const normal = (row: DomainStatus): DomainStatus => ({ ...row, quiesceState: 'normal' });
        return { ok: true, value: rows.value.map(normal) };
      },
    }));
  }
}

/** A node that was suspended or cut off goes on as if nothing had happened. */
class FencingOff extends Mutation {
  override readonly isFencingOff = true;

  override plant(parts: NodeParts): NodeParts {
    const { clock } = parts;
    const { now, after } = clock;
    // A clock that stands still with the process: it cannot tell that time went on.
    const elapsed = (): number => clock.elapsed() - (clock.suspendedMs ?? 0);
    return { ...parts, clock: { now, after, elapsed } };
  }
}

/** Whoever has held a subject once writes to it for ever. */
class TokenCheckOff extends Mutation {
  override plant(parts: NodeParts): NodeParts {
    const tokens = new Map<string, number>();
    const { journal } = parts;
    const takeHold: typeof journal.takeHold = (subjectId, token, nodeId) => {
      tokens.set(subjectId, token);
      return journal.takeHold(subjectId, token, nodeId);
    };
    const lock: typeof journal.lock = async (trx, subjectId) => {
      const subject = await journal.lock(trx, subjectId);
      return subject && { ...subject, token: tokens.get(subjectId) ?? subject.token };
    };
    return { ...parts, journal: changed(journal, { takeHold, lock }) };
  }
}

/** Every task is its own key: two may work on one device. */
class ExclusionOff extends Mutation {
  override plant(parts: NodeParts): NodeParts {
    const { queue } = parts;
    const enqueue: typeof queue.enqueue = (trx, name, entries) => {
      const alone = entries.map((entry) => ({ ...entry, key: `${entry.key}/${entry.subjectId}` }));
      return queue.enqueue(trx, name, alone);
    };
    return { ...parts, queue: changed(queue, { enqueue }) };
  }
}

/** A lost request is taken for one that can no longer land. */
class SettleTimeZero extends Mutation {
  override definitions({ parameterValues }: Definitions): Definitions {
    return { parameterValues: async () => ({ ...(await parameterValues()), 'quiesce.settleSeconds': 0 }) };
  }
}

/** Nobody compares whose bytes arrived. */
class BytesNotCompared extends Mutation {
  override movers({ order }: Movers): Movers {
    const careless = ((given: Parameters<typeof order>[0], options: Parameters<typeof order>[1]) =>
      given.kind === 'fetchExport'
        ? order({ ...given, source: { ...given.source, expectedSerialNumber: null } }, options)
        : order(given, options)) as typeof order;
    return { order: careless };
  }
}

/** The catalogue and the verdict do not wait for the disk. */
class PublishSkipped extends Mutation {
  override movers({ order }: Movers): Movers {
    const careless = (async (given: Parameters<typeof order>[0], options: Parameters<typeof order>[1]) => {
      if (given.kind !== 'publishBackup') return order(given, options);
      const { files, takenAt } = given.request;
      const published = files.map((file) => ({ ...file, path: `nowhere/${file.name}` }));
      return { ok: true, value: { files: published, takenAt: new Date(takenAt).toISOString() } };
    }) as unknown as typeof order;
    return { order: careless };
  }
}

/** Tasks are made without the window of their run. */
class WindowForgotten extends Mutation {
  override plant(parts: NodeParts): NodeParts {
    const { journal } = parts;
    const create: typeof journal.create = (trx, program, subjects) =>
      journal.create(
        trx,
        program,
        subjects.map(({ id, spec }) => ({ id, spec: 'window' in spec ? { ...spec, window: null } : spec })),
      );
    return { ...parts, journal: changed(journal, { create }) };
  }
}

/** A port with some of its methods changed; the others go on as they are. */
function changed<Port extends object>(port: Port, changes: Partial<Port>): Port {
  return new Proxy(port, {
    get(target, name) {
      if (name in changes) return Reflect.get(changes, name);
      const found = Reflect.get(target, name);
      return typeof found === 'function' ? found.bind(target) : found;
    },
  });
}

function withAppliance<Port extends Conversations>(
  appliances: Port,
  change: (appliance: Appliance) => Appliance,
): Port {
  const talkTo = (device: string, signal: AbortSignal): Conversation => {
    const talk = appliances.talkTo(device, signal);
    return {
      ...talk,
      ask: (question) => talk.ask((appliance, call) => question(change(appliance), call)),
      act: (action) => talk.act((appliance, call) => action(change(appliance), call)),
    };
  };
  return { ...appliances, talkTo };
}

/** The planner does not see the runs of a plan that are going. */
class OverlapIgnored extends Mutation {
  override plant(parts: NodeParts): NodeParts {
    const plans = changed(parts.records.plans, { unfinishedRuns: async () => [] });
    return { ...parts, records: { ...parts.records, plans } };
  }
}

/** A fire that was queued does not wait for the run before it. */
class TurnNotAwaited extends Mutation {
  override plant(parts: NodeParts): NodeParts {
    const runs = changed(parts.records.runs, { areEarlierRunsOver: async () => true });
    return { ...parts, records: { ...parts.records, runs } };
  }
}

/** Nobody is told of fires that started no run. */
class LeftOutNotTold extends Mutation {
  override plant(parts: NodeParts): NodeParts {
    const plans = changed(parts.records.plans, { tellLeftOut: async () => {} });
    return { ...parts, records: { ...parts.records, plans } };
  }
}

/** Every mistake, and the invariants that it breaks. */
export const mutations = {
  GuardNotWritten,
  GuardClosedEarly,
  OrphansIgnored,
  UndoSkipped,
  LookSkipped,
  FencingOff,
  TokenCheckOff,
  ExclusionOff,
  SettleTimeZero,
  BytesNotCompared,
  PublishSkipped,
  WindowForgotten,
  OverlapIgnored,
  TurnNotAwaited,
  LeftOutNotTold,
} as const;
