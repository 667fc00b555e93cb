import type { Parameters } from '@stillpoint/core';
import { Secret } from '@stillpoint/datapower';
import {
  type ComposedPrograms,
  type Conversation,
  type Conversations,
  composePrograms,
  LatestParameters,
  LiveFleet,
  type Scripts,
  type TargetStore,
} from '@stillpoint/server';
import type { MemoryTransaction } from '../../../packages/engine/src/testing/memory-database.ts';
import { DatabaseLink } from './database-link.ts';
import type { Dice } from './dice.ts';
import type { Mutation } from './mutation.ts';
import { type JournalObserver, ObservedJournal } from './observed-journal.ts';
import { ObservedQueue } from './observed-queue.ts';
import { pretendAppliance } from './pretend-appliance.ts';
import { PretendMovers } from './pretend-movers.ts';
import type { Asker } from './pretend-network.ts';
import { ProcessBoundary } from './process-boundary.ts';
import type { World } from './world.ts';

/** One life of a node. */
type Life = {
  readonly boundary: ProcessBoundary;
  readonly link: DatabaseLink;
  readonly programs: ComposedPrograms<MemoryTransaction>;
};

/** Who looks on at what a node writes. */
export type NodeObserver = (node: SimulatedNode) => JournalObserver;

const RESTART_PAUSE_MS = 2_000;

/** A node with the real programs in it, which can be killed, suspended, cut off and started again under the same id. */
export class SimulatedNode {
  readonly name: string;
  /** What its wall clock is ahead of the truth, in milliseconds. */
  offsetMs = 0;
  readonly #world: World;
  readonly #dice: Dice;
  readonly #mutation: Mutation;
  readonly #observer: NodeObserver;
  readonly #cutOff = new Set<string>();
  #life: Life | null = null;

  constructor(world: World, name: string, mutation: Mutation, observer: NodeObserver) {
    this.#world = world;
    this.name = name;
    this.#mutation = mutation;
    this.#observer = observer;
    this.#dice = world.dice(name);
  }

  get boundary(): ProcessBoundary | null {
    return this.#life?.boundary ?? null;
  }

  get link(): DatabaseLink | null {
    return this.#life?.link ?? null;
  }

  get programs(): ComposedPrograms<MemoryTransaction> | null {
    return this.#life?.programs ?? null;
  }

  /** It can do everything it wants. */
  get isWell(): boolean {
    const life = this.#life;
    return life !== null && !life.boundary.isSuspended && !life.link.isCut;
  }

  start(): void {
    if (this.#life !== null) return;
    this.#world.trail.note('node', this.name, 'starts');
    const boundary = new ProcessBoundary(this.#world.kernel, this.offsetMs);
    const link = new DatabaseLink(this.#world.kernel, this.#dice, this.#world.database, boundary);
    const parameters = new LatestParameters(
      this.#mutation.definitions(link.through(this.#world.definitions)),
    );
    const programs = this.#compose(boundary, link, parameters);
    const life = { boundary, link, programs };
    this.#life = life;
    programs.engine.on('problem', (error) => this.#world.trail.note('problem', this.name, error.message));
    programs.engine.on('parked', ({ subjectId, error }) => {
      this.#world.rows.parked.set(subjectId, this.#world.kernel.now);
      this.#world.trail.note('parked', this.name, `${subjectId} ${String(error)}`);
    });
    programs.start().catch((error: unknown) => {
      // Whatever runs it starts it again.
      this.#world.trail.note('problem', this.name, `cannot start: ${String(error)}`);
      this.kill();
      this.#world.kernel.after(RESTART_PAUSE_MS, () => this.start());
    });
  }

  kill(): void {
    if (this.#life === null) return;
    this.#world.trail.note('node', this.name, 'is killed');
    this.#life.boundary.kill();
    this.#life = null;
  }

  suspend(): void {
    if (this.#life === null || this.#life.boundary.isSuspended) return;
    this.#world.trail.note('node', this.name, 'is suspended');
    this.#life.boundary.suspend();
  }

  resume(): void {
    if (this.#life?.boundary.isSuspended !== true) return;
    this.#world.trail.note('node', this.name, 'is resumed');
    this.#life.boundary.resume();
  }

  cutFromDatabase(): void {
    this.#world.trail.note('node', this.name, 'is cut off from the database');
    this.#life?.link.cut();
  }

  cutFromDevice(device: string): void {
    this.#world.trail.note('node', this.name, `is cut off from ${device}`);
    this.#cutOff.add(device);
  }

  heal(): void {
    this.#cutOff.clear();
    if (this.#life?.link.isCut !== true) return;
    this.#world.trail.note('node', this.name, 'reaches the database again');
    this.#life.link.heal();
  }

  stepClock(ms: number): void {
    this.#world.trail.note(
      'node',
      this.name,
      `has its clock put ${ms > 0 ? 'forward' : 'back'} by ${Math.abs(ms)} ms`,
    );
    this.offsetMs += ms;
    if (this.#life !== null) this.#life.boundary.offsetMs = this.offsetMs;
  }

  slowDown(lagMs: number): void {
    if (this.#life !== null) this.#life.boundary.lagMs = lagMs;
  }

  #compose(
    boundary: ProcessBoundary,
    link: DatabaseLink,
    parameters: LatestParameters,
  ): ComposedPrograms<MemoryTransaction> {
    const world = this.#world;
    const { journal, queue, records, clock } = this.#mutation.plant({
      journal: new ObservedJournal(world.journal, this.#observer(this)),
      queue: new ObservedQueue(world.queue, this.name, world.holdings, () => world.kernel.now),
      records: world.records,
      clock: boundary,
    });
    const movers = this.#mutation.movers(this.#movers(boundary, () => programs.engine.mayActForMs() > 0));
    const appliances = this.#mutation.appliances(
      this.#conversations(link, {
        name: this.name,
        enter: (run) => boundary.enter(run),
        maySend: () => this.#mutation.isFencingOff || !programs.engine.isFenced(),
        isCutOff: (device) => this.#cutOff.has(device),
      }),
    );
    const throughLink = link.through(records.guards);
    const programs: ComposedPrograms<MemoryTransaction> = composePrograms<MemoryTransaction>({
      journal: link.journal(journal),
      queue: link.queue(queue),
      records: {
        runs: link.through(records.runs),
        tasks: link.through(records.tasks),
        guards: throughLink,
        plans: link.through(records.plans),
        backups: link.through(records.backups),
        notices: link.through(records.notices),
      },
      clock,
      nodeId: this.name,
      definitions: link.through(world.definitions),
      parameters,
      fleet: new LiveFleet({ talkTo: appliances.talkTo }, boundary.now),
      appliances,
      movers,
      store: this.#targetStore(link, movers),
      scripts: this.#scripts(boundary),
      hostTimezone: world.hostTimezone,
      version: 'simulated',
      newId: world.newId,
      beat: () => link.ask(async () => ({ isDraining: false })),
      onProblem: (error, work) => world.trail.note('problem', this.name, `${work}: ${String(error)}`),
    });
    return programs;
  }

  #conversations(
    link: DatabaseLink,
    asker: Asker,
  ): Conversations & { talkTo: (device: string) => Conversation } {
    const { network } = this.#world;
    const deviceOf = (name: string) => this.#deviceOf(name);
    return {
      talkTo(name: string, signal?: AbortSignal): Conversation {
        const appliance = pretendAppliance(network.wire(asker, deviceOf(name)));
        const ask: Conversation['ask'] = async (question) => {
          // Where the device is comes from the database, as in the server.
          await link.ask(async () => undefined);
          return question(appliance, { signal });
        };
        return {
          device: name,
          ask,
          async act(action) {
            const reply = await ask(action);
            return reply.ok ? { ok: true, value: null } : reply;
          },
        };
      },
      addressOf: (name) => link.ask(async () => ({ ok: true, value: addressOf(name) })),
    };
  }

  #movers(boundary: ProcessBoundary, mayAct: () => boolean): PretendMovers {
    const world = this.#world;
    return new PretendMovers({
      kernel: world.kernel,
      dice: this.#dice,
      trail: world.trail,
      boundary,
      nodeName: this.name,
      store: world.store,
      weather: () => world.diskWeather,
      mayAct: () => this.#mutation.isFencingOff || mayAct(),
      applianceAt: (host, isAlive) =>
        pretendAppliance(
          world.network.wire(
            {
              name: this.name,
              enter: (run) => void (isAlive() && run()),
              maySend: () => isAlive() && (this.#mutation.isFencingOff || mayAct()),
              isCutOff: (device) => this.#cutOff.has(device),
            },
            this.#deviceOf(host),
          ),
        ),
    });
  }

  #targetStore(link: DatabaseLink, { order }: Pick<PretendMovers, 'order'>): TargetStore {
    const known = { root: '/store', requiresRemoteMount: true, expectedStoreId: 'store' };
    const locate: TargetStore['locate'] = () => link.ask(async () => ({ ok: true, value: known }));
    return {
      locate,
      async check(parameters: Parameters) {
        const located = await locate(parameters);
        if (!located.ok) return located;
        return order({ kind: 'checkStore', store: known, minFreePercent: 0 }, { deadlineMs: 30_000 });
      },
    };
  }

  #scripts(boundary: ProcessBoundary): Scripts {
    const run = (signal: AbortSignal): ReturnType<Scripts['runPreTask']> =>
      new Promise((resolve) => {
        const exitCode = this.#dice.chance(this.#world.scriptFailure) ? 1 : 0;
        const end = (reply: Awaited<ReturnType<Scripts['runPreTask']>>): void => {
          callOff();
          signal.removeEventListener('abort', onAbort);
          resolve(reply);
        };
        const onAbort = (): void => end({ ok: false, fault: scriptAborted });
        const callOff = boundary.after(this.#dice.between(10, 5_000), () =>
          end({ ok: true, value: { exitCode } }),
        );
        signal.addEventListener('abort', onAbort);
        if (signal.aborted) onAbort();
      });
    return {
      runPrePlan: (_spec, _planId, signal) => run(signal),
      runPostPlan: (_spec, _planId, _end, signal) => run(signal),
      runPreTask: (_spec, signal) => run(signal),
      runPostTask: (_spec, _end, signal) => run(signal),
    };
  }

  #deviceOf(name: string) {
    const device = this.#world.devices.get(name);
    if (device === undefined) throw new Error(`There is no device ${name} in this world.`);
    return device;
  }
}

const scriptAborted = {
  code: 'SCRIPT_ABORTED',
  effect: 'unknown',
  retryable: true,
  detail: 'The script was given up.',
} as const;

const addressOf = (host: string) => ({
  host,
  port: 5550,
  username: 'backup',
  password: new Secret('of no use here'),
  tls: { kind: 'insecure' } as const,
});
