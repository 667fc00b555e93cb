import type { Fact } from '@stillpoint/engine';
import type { Dice } from './dice.ts';
import type { PretendDevice } from './pretend-device.ts';
import { calm } from './pretend-network.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { World } from './world.ts';

type Disturb = () => string | null;

/** What can come over a world. */
export type Disturbance = keyof typeof usualWeights;

const HOUR_MS = 3_600_000;

/** Everything that can come over a world while it works, in an order and at instants that the seed decides. */
export class Storm {
  readonly #world: World;
  readonly #nodes: readonly SimulatedNode[];
  readonly #dice: Dice;
  readonly #pauseMs: number;
  readonly #weights: Readonly<Record<Disturbance, number>>;
  #isOver = false;

  /** Without weights everything can happen. */
  constructor(
    world: World,
    nodes: readonly SimulatedNode[],
    pauseMs: number,
    weights: Partial<Record<Disturbance, number>> | null = null,
  ) {
    this.#world = world;
    this.#nodes = nodes;
    this.#weights = weights === null ? usualWeights : { ...none, ...weights };
    this.#dice = world.dice('storm');
    this.#pauseMs = pauseMs;
  }

  begin(): void {
    // Not every schedule fires in the time of a storm.
    for (let runs = this.#dice.between(0, 2); runs > 0; runs -= 1) {
      this.#later(this.#dice.between(200, 10_000), () => void this.#disturbances.runNow());
    }
    this.#next();
  }

  /** Right when something was recorded is when it hurts most to be killed, to stand still, or to be alone. */
  readonly onRecorded = (node: SimulatedNode, fact: Fact): void => {
    // A doubt is waited out by the clock.
    const isInDoubt = fact.type === 'settled' && !fact.reply.ok && fact.reply.fault.effect === 'unknown';
    if (isInDoubt && this.#weights.stepClock > 0 && this.#dice.chance(0.15)) {
      node.stepClock(this.#dice.pick([HOUR_MS, -HOUR_MS]));
    }
    if (this.#weights.killNode === 0 || (fact.type !== 'intended' && !this.#dice.chance(0.2))) return;
    if (!this.#dice.chance(0.08)) return;
    const kind = this.#dice.pick(['killNode', 'suspendNode', 'suspendNode', 'cutFromDatabase'] as const);
    this.#later(this.#dice.pick([0, 1, 5, 40]), () => {
      this.#world.trail.note('storm', 'world', `${kind} ${node.name} at ${fact.type}`);
      if (kind === 'killNode') this.#for(node, 'kill', 'start', 300, 15_000);
      if (kind === 'suspendNode') this.#for(node, 'suspend', 'resume', 8_000, 20_000);
      if (kind === 'cutFromDatabase') this.#for(node, 'cutFromDatabase', 'heal', 8_000, 20_000);
    });
  };

  /** Everything heals; from here on all must come to a good end. */
  end(): void {
    const { trail, database, store, devices } = this.#world;
    this.#isOver = true;
    trail.note('calm', 'world', 'everything heals');
    this.#world.weather = calm;
    this.#world.diskWeather = { moverDied: 0, ioError: 0, cutOff: 0 };
    database.restart();
    store.respond();
    store.isMounted = true;
    store.isFull = false;
    for (const device of devices.values()) {
      device.isAway = false;
      device.nextEndings.length = 0;
      device.nextUnquiesceEndings.length = 0;
    }
    this.#world.keepPlans(this.#world.plans.map((plan) => ({ ...plan, schedule: null })));
    for (const node of this.#nodes) {
      node.resume();
      node.heal();
      node.slowDown(0);
      node.start();
    }
  }

  #next(): void {
    this.#later(this.#dice.between(1, 2 * this.#pauseMs), () => {
      const kind = this.#dice.weighed(this.#weights);
      const told = this.#disturbances[kind]();
      if (told !== null) this.#world.trail.note('storm', 'world', `${kind} ${told}`.trim());
      this.#next();
    });
  }

  /** Something that is over when the storm is. */
  #later(ms: number, run: () => void): void {
    this.#world.kernel.after(ms, () => this.#isOver || run());
  }

  readonly #disturbances: { readonly [Kind in Disturbance]: Disturb } = {
    killNode: () => this.#withNode((node) => this.#for(node, 'kill', 'start', 500, 20_000)),
    suspendNode: () => this.#withNode((node) => this.#for(node, 'suspend', 'resume', 500, 25_000)),
    cutFromDatabase: () => this.#withNode((node) => this.#for(node, 'cutFromDatabase', 'heal', 500, 25_000)),
    cutFromDevice: () =>
      this.#withNode((node) => {
        node.cutFromDevice(this.#device().name);
        this.#later(this.#dice.between(1_000, 20_000), () => node.heal());
        return '';
      }),
    slowDown: () =>
      this.#withNode((node) => {
        const lagMs = this.#dice.pick([20, 300, 2_500]);
        node.slowDown(lagMs);
        this.#later(this.#dice.between(2_000, 15_000), () => node.slowDown(0));
        return `${node.name} by ${lagMs} ms`;
      }),
    stepClock: () =>
      this.#withNode((node) => {
        node.stepClock(this.#dice.pick([HOUR_MS, -HOUR_MS, 24 * HOUR_MS, -24 * HOUR_MS, 4_000, -4_000]));
        return '';
      }),
    restartNode: () => this.#withNode((node) => this.#restart(node)),
    crashDatabase: () => {
      const { database } = this.#world;
      if (database.isDown) return null;
      database.crash();
      this.#later(this.#dice.between(200, 12_000), () => database.restart());
      return '';
    },
    deviceAway: () => {
      const device = this.#device();
      device.isAway = true;
      this.#later(this.#dice.between(1_000, 40_000), () => {
        device.isAway = false;
      });
      return device.name;
    },
    reboot: () => {
      const device = this.#device();
      device.reboot(this.#dice.between(0, 15_000));
      return device.name;
    },
    releaseByHand: () => {
      const device = this.#device();
      device.releaseByHand();
      return device.name;
    },
    flap: () => {
      const device = this.#device();
      device.flap();
      return device.name;
    },
    quiesceByOther: () => this.#quiesceByOther(this.#device()),
    badEnding: () => {
      const device = this.#device();
      device.nextEndings.push(this.#dice.pick(['never', 'error']));
      return device.name;
    },
    badUnquiesce: () => {
      const device = this.#device();
      device.nextUnquiesceEndings.push(this.#dice.pick(['never', 'error']));
      return device.name;
    },
    changeConfiguration: () => {
      const device = this.#device();
      device.changeConfiguration(this.#dice.pick(device.domainNames));
      return device.name;
    },
    store: () => this.#disturbStore(),
    cancelRun: () => this.#withNode((node) => this.#cancel(node)),
    runNow: () => this.#withNode((node) => this.#runNow(node)),
    unquiesceNow: () => this.#withNode((node) => this.#unquiesceNow(node)),
    changeParameter: () => this.#changeParameter(),
    changePlan: () => {
      const plan = this.#dice.pick(this.#world.plans);
      this.#world.keepPlans([{ ...plan, description: `changed at ${this.#world.kernel.now}` }]);
      return plan.name;
    },
  };

  #withNode(disturb: (node: SimulatedNode) => string | null): string | null {
    return disturb(this.#dice.pick(this.#nodes));
  }

  #for(
    node: SimulatedNode,
    begin: 'kill' | 'suspend' | 'cutFromDatabase',
    end: 'start' | 'resume' | 'heal',
    leastMs: number,
    mostMs: number,
  ): string {
    node[begin]();
    this.#later(this.#dice.between(leastMs, mostMs), () => node[end]());
    return node.name;
  }

  /** A rolling restart: what goes on is undone, then everything ends and begins again. */
  #restart(node: SimulatedNode): string | null {
    const { boundary, programs } = node;
    if (programs === null) return null;
    const stop = async (): Promise<void> => {
      await programs.undo(this.#dice.between(0, 10_000));
      await programs.stop();
      if (node.boundary !== boundary) return;
      node.kill();
      // Also when the storm is over by then: nobody else would start it.
      this.#world.kernel.after(this.#dice.between(100, 5_000), () => node.start());
    };
    boundary?.enter(() => void stop().catch(() => node.kill()));
    return node.name;
  }

  /** Somebody else takes a domain down, where nothing of ours has looked at it yet. */
  #quiesceByOther(device: PretendDevice): string | null {
    const { rows, openGuards } = this.#world;
    const isGuarded = openGuards.some((guard) => guard.device === device.name);
    const isWorkedOn = [...rows.tasks.values()].some(
      ({ spec, status }) => spec.device === device.name && status === 'RUNNING',
    );
    if (isGuarded || isWorkedOn) return null;
    const domain = this.#dice.pick(device.domainNames.filter((name) => name !== 'default'));
    device.quiesce(domain, 60, 'other');
    this.#later(this.#dice.between(2_000, 30_000), () => {
      if (device.holderOf(domain) === 'other') device.releaseByHand();
    });
    return `${device.name}/${domain}`;
  }

  #disturbStore(): string {
    const { store } = this.#world;
    const kind = this.#dice.pick(['full', 'hung', 'unmounted'] as const);
    if (kind === 'full') store.isFull = true;
    if (kind === 'hung') store.hang();
    if (kind === 'unmounted') store.isMounted = false;
    this.#later(this.#dice.between(500, 20_000), () => {
      if (kind === 'full') store.isFull = false;
      if (kind === 'hung') store.respond();
      if (kind === 'unmounted') store.isMounted = true;
    });
    return kind;
  }

  #cancel(node: SimulatedNode): string | null {
    const going = [...this.#world.rows.runs.values()].filter(({ endedAt }) => endedAt === null);
    if (going.length === 0 || node.programs === null) return null;
    const { runId } = this.#dice.pick(going).spec;
    const { programs } = node;
    node.boundary?.enter(() => void programs.runs.cancel(runId).catch(() => undefined));
    return runId;
  }

  #runNow(node: SimulatedNode): string | null {
    const plan = this.#dice.pick(this.#world.plans);
    const { boundary, programs } = node;
    if (boundary === null || programs === null) return null;
    const runId = this.#world.newId();
    boundary.enter(() => {
      const common = { runId, plan, trigger: 'request', queuedAt: boundary.now() } as const;
      const windowOverrideReason = this.#dice.chance(0.2) ? 'an urgent change' : null;
      void programs.runs.queue({ ...common, windowOverrideReason }).catch(() => undefined);
    });
    return plan.name;
  }

  #unquiesceNow(node: SimulatedNode): string | null {
    const { openGuards: open } = this.#world;
    const { boundary, programs } = node;
    if (open.length === 0 || programs === null) return null;
    const { guardId, device } = this.#dice.pick(open);
    boundary?.enter(() => void programs.undoer.workOnNow(String(guardId)).catch(() => undefined));
    return device;
  }

  #changeParameter(): string {
    const { definitions } = this.#world;
    const [name, value] = this.#dice.pick([
      ['devices.parallel', this.#dice.between(1, 8)],
      ['quiesce.pollMs', this.#dice.between(500, 3_000)],
      ['backups.enabled', this.#dice.chance(0.7)],
      ['timezone', this.#dice.pick(['Europe/Zurich', 'America/New_York'])],
    ] as const);
    void definitions.save({ parameters: { [name]: value }, devices: [], plans: [] });
    return `${name} = ${value}`;
  }

  #device(): PretendDevice {
    return this.#dice.pick([...this.#world.devices.values()]);
  }
}

const usualWeights = {
  killNode: 6,
  suspendNode: 6,
  cutFromDatabase: 4,
  cutFromDevice: 2,
  slowDown: 2,
  stepClock: 2,
  restartNode: 2,
  crashDatabase: 3,
  deviceAway: 4,
  reboot: 3,
  releaseByHand: 2,
  flap: 1,
  quiesceByOther: 5,
  badEnding: 2,
  badUnquiesce: 2,
  changeConfiguration: 1,
  store: 3,
  cancelRun: 3,
  runNow: 4,
  unquiesceNow: 1,
  changeParameter: 2,
  changePlan: 1,
} as const;

const none = Object.fromEntries(Object.keys(usualWeights).map((name) => [name, 0])) as Record<
  Disturbance,
  number
>;
