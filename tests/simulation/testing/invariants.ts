import { isWindowOpen, type TaskCommand, type TaskFact, type TaskSpec } from '@stillpoint/core';
import type { Fact } from '@stillpoint/engine';
import type { RememberedGuard } from '../../../packages/server/src/testing/remembered-rows.ts';
import type { JournalObserver } from './observed-journal.ts';
import type { ExportContent, PretendDevice } from './pretend-device.ts';
import type { Asker } from './pretend-network.ts';
import type { ProcessBoundary } from './process-boundary.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { WireRequest } from './wire.ts';
import type { World } from './world.ts';

/** The first invariant that was broken, and how. */
export type Violation = { readonly invariant: string; readonly detail: string };

/** A claim that was not renewed for so long is nobody's. */
const LEASE_MS = 10_000;
/** A guard whose task nobody drives is dealt with after so long, when somebody can. */
const TASK_BOUND_MS = 20_000;
/** A task that is parked for so long is not waited for. */
const PARKED_MS = 300_000;
/** The same for one that the reconcilers work on: a node that died with it leaves it after a minute. */
const LEFT_BOUND_MS = 80_000;

type Outstanding = {
  readonly node: SimulatedNode;
  /** A request of a task, or one that works off a guard which no task undoes any more. */
  readonly isForTask: boolean;
  readonly isTransfer: boolean;
  readonly life: ProcessBoundary | null;
  readonly suspensions: number;
};
/** `isCancelled`: the run wants no more of it; a server that stops ends an attempt only. */
type TaskView = { isCancelled: boolean; starts: number; toldInStep: number };

/** Looks at the whole world after every step, and keeps the first invariant that does not hold. */
export class Invariants {
  violation: Violation | null = null;
  /** Told of every fact that a node wrote. */
  onRecorded: (node: SimulatedNode, fact: Fact) => void = () => {};
  /** How often the world was looked at, and had changed. */
  checks = 0;
  readonly #world: World;
  readonly #nodes: () => readonly SimulatedNode[];
  readonly #tasks = new Map<string, TaskView>();
  readonly #takenBy = new Map<string, string>();
  readonly #outstanding = new Map<string, Set<Outstanding>>();
  readonly #uncaredSince = new Map<number, number>();
  readonly #catalogued = new Map<string, { readonly taskId: string; readonly sha256: string }>();
  /** Published files that were looked at. */
  published = 0;
  #backups = 0;
  #version = -1;
  #isAbleSince: number;

  constructor(world: World, nodes: () => readonly SimulatedNode[]) {
    this.#world = world;
    this.#nodes = nodes;
    this.#isAbleSince = world.kernel.now;
    world.sendingObserver = (asker, device, request) => this.#onSent(asker, device, request);
    for (const device of world.devices.values()) {
      device.onOthersReleased = (domain) =>
        this.#broken('I3', `${device.name}/${domain} was unquiesced by us and held by somebody else`);
    }
  }

  /** What one node writes goes past here. */
  observerOf(node: SimulatedNode): JournalObserver {
    return {
      onFact: (subjectId, fact) => this.#onFact(node, subjectId, fact),
      onTaken: (subjectId) => {
        this.#takenBy.set(subjectId, node.name);
        this.#world.trail.note('claim', node.name, subjectId);
      },
    };
  }

  /** To be called after every step. */
  readonly check = (): void => {
    const { devices, rows, openGuards, store } = this.#world;
    this.#checkGuardsAreCaredFor();
    this.#checkFires();
    let version =
      2 * rows.guards.length - openGuards.length + store.version + rows.backups.size + rows.runs.size;
    for (const device of devices.values()) version += device.version;
    if (version === this.#version) return;
    this.#version = version;
    this.checks += 1;
    this.#checkGuardsStand();
    this.#checkStore();
  };

  /** To be called once everything has had its time. */
  checkEnd(): void {
    const { rows, openGuards, devices } = this.#world;
    for (const { spec, endedAt } of rows.runs.values())
      if (endedAt === null) this.#broken('I9', `the run ${spec.runId} has not ended`);
    for (const { spec, status } of rows.tasks.values()) {
      if (status === 'WAITING' || status === 'RUNNING')
        this.#broken('I9', `the task ${spec.taskId} has not ended`);
    }
    for (const guard of openGuards) this.#broken('I2', `the guard of ${guard.device} is still open`);
    for (const device of devices.values())
      for (const domain of device.heldBy('us'))
        this.#broken('I1', `${device.name}/${domain} was left quiesced`);
  }

  #broken(invariant: string, detail: string): void {
    if (this.violation !== null) return;
    this.violation = { invariant, detail };
    this.#world.trail.note('BROKEN', invariant, detail);
  }

  /** I1: what is down by our request has an open guard. */
  #checkGuardsStand(): void {
    const { devices, openGuards: open } = this.#world;
    for (const device of devices.values()) {
      for (const domain of device.heldBy('us')) {
        const isCovered = open.some((guard) => guard.device === device.name && covers(guard, domain));
        if (!isCovered)
          this.#broken('I1', `${device.name}/${domain} is quiesced by us without an open guard`);
      }
    }
  }

  /** I2: somebody who lives works on every open guard, or comes soon. */
  #checkGuardsAreCaredFor(): void {
    const { kernel, openGuards: open, database } = this.#world;
    const { now } = kernel;
    const isAble = !database.isDown && this.#nodes().some((node) => node.isWell);
    if (!isAble) this.#isAbleSince = now;
    if (open.length === 0 && this.#uncaredSince.size === 0) return;
    const seen = new Set(open.map(({ guardId }) => guardId));
    for (const id of this.#uncaredSince.keys()) if (!seen.has(id)) this.#uncaredSince.delete(id);
    for (const guard of open) {
      if (this.#isCaredFor(guard)) {
        this.#uncaredSince.delete(guard.guardId);
        continue;
      }
      const since = this.#uncaredSince.get(guard.guardId) ?? now;
      this.#uncaredSince.set(guard.guardId, since);
      const bound = this.#isLeft(guard) ? LEFT_BOUND_MS : TASK_BOUND_MS;
      const isLate = now - Math.max(since, this.#isAbleSince) > bound;
      if (isLate) this.#broken('I2', `nobody has dealt with the guard of ${guard.device} for ${bound} ms`);
    }
  }

  #isCaredFor(guard: RememberedGuard): boolean {
    const { now } = this.#world.kernel;
    const living = (name: string | null): boolean =>
      this.#nodes().some((node) => node.name === name && node.isWell);
    if (living(guard.reconciledBy) && (guard.reconciledUntil ?? 0) > now) return true;
    if (this.#isLeft(guard)) return (guard.nextAttemptAt ?? 0) > now;
    const holding = this.#world.holdings.bySubject.get(guard.taskId);
    return holding !== undefined && living(holding.node) && now - holding.heardOfAt <= LEASE_MS;
  }

  /** No task that goes on undoes it. */
  #isLeft({ leftAt, taskId }: RememberedGuard): boolean {
    const { rows, kernel } = this.#world;
    const status = rows.tasks.get(taskId)?.status;
    const parkedAt = rows.parked.get(taskId) ?? kernel.now;
    return (
      leftAt !== null || (status !== 'WAITING' && status !== 'RUNNING') || kernel.now - parkedAt >= PARKED_MS
    );
  }

  /** I4, I5 and I10: what is published is whole, named by a manifest and whose it says; what the catalogue names is there. */
  #checkStore(): void {
    const { store, rows } = this.#world;
    if (rows.backups.size !== this.#backups) {
      for (const { taskId, files } of [...rows.backups.values()].slice(this.#backups)) {
        for (const { path, sha256 } of files) this.#catalogued.set(path, { taskId, sha256 });
        for (const { path } of files) store.changedPaths.add(path);
      }
      this.#backups = rows.backups.size;
    }
    for (const path of store.changedPaths) this.#checkPath(path);
    store.changedPaths.clear();
  }

  #checkPath(path: string): void {
    const { store } = this.#world;
    const file = store.published.get(path);
    const entry = this.#catalogued.get(path);
    if (entry !== undefined && file?.sha256 !== entry.sha256)
      this.#broken('I5', `the catalogue says that ${path} of ${entry.taskId} is good, and it is not there`);
    if (file === undefined) return;
    this.published += 1;
    if (!file.isComplete) this.#broken('I4', `${path} is not complete`);
    if (store.named.get(path) !== file.sha256) this.#broken('I4', `${path} is in no manifest as it is`);
    const content = JSON.parse(file.content) as Partial<ExportContent>;
    if (content.device !== path.split('/')[0])
      this.#broken('I10', `${path} holds bytes of ${content.device}`);
  }

  /** R-09 and R-14: a fire starts one run or none, as its plan says, whatever clocks and nodes do. */
  #checkFires(): void {
    const { broken } = this.#world.fires;
    if (broken !== null) this.#broken(broken.invariant, broken.detail);
  }

  /** I14: who holds a subject no more writes nothing of it; I8 and I13 hold with every fact. */
  #onFact(node: SimulatedNode, subjectId: string, fact: Fact): void {
    const { trail, rows } = this.#world;
    trail.note('fact', node.name, `${subjectId} ${textOf(fact)}`);
    rows.parked.delete(subjectId);
    const view = this.#viewOf(subjectId);
    const holder = this.#takenBy.get(subjectId);
    // Who tells a subject that nobody has begun to drive ends it in the same transaction, whoever has just taken hold of it.
    const isEndOfTelling = fact.type === 'ended' && view.toldInStep === this.#world.kernel.steps;
    if (fact.type === 'told') {
      const command = fact.command as TaskCommand;
      if (command.type === 'cancel' && command.status === 'CANCELLED') view.isCancelled = true;
      view.toldInStep = this.#world.kernel.steps;
    } else if (holder !== undefined && holder !== node.name && !isEndOfTelling)
      this.#broken('I14', `${node.name} wrote ${fact.type} of ${subjectId}, which ${holder} holds`);
    const task = rows.tasks.get(subjectId);
    if (task !== undefined)
      this.#onTaskFact(task.spec, view, fact as TaskFact, node.boundary?.now() ?? fact.at);
    this.onRecorded(node, fact);
  }

  #onTaskFact(spec: TaskSpec, view: TaskView, fact: TaskFact, clockAt: number): void {
    const { taskId, window } = spec;
    if (fact.type === 'noted' && fact.note.type === 'started') {
      if (view.isCancelled) this.#broken('I8', `${taskId} started after it was cancelled`);
      view.starts += 1;
      if (view.starts > 1 + spec.retry.attempts) this.#broken('I8', `${taskId} began too many attempts`);
      if (this.#world.rows.openGuardOf(taskId) !== undefined)
        this.#broken('I2', `${taskId} was tried again before its own quiesce was undone`);
      // The fact bears the time of its drive, which is not put back or forward with the clock of the node.
      const instants = [fact.at, clockAt];
      if (window !== null && !instants.some((at) => isWindowOpen(window, at)))
        this.#broken('I8', `${taskId} started outside of its window`);
    }
    if (fact.type === 'ended' && fact.verdict.status === 'SUCCEEDED') {
      const files = this.#world.rows.backups.get(taskId)?.files ?? [];
      const { published } = this.#world.store;
      if (files.length === 0 || files.some(({ path }) => published.get(path)?.isComplete !== true))
        this.#broken('I13', `${taskId} succeeded without a backup that is stored`);
    }
  }

  /**
   * I7 and I14: what acts on a device leaves only a node that holds a task on it, or its guard, and no two at once. Only
   * what fetches for a task may go on beside an unquiesce that no task sends: that waits for nobody.
   */
  #onSent(asker: Asker, device: PretendDevice, { name, kind }: WireRequest<unknown>): () => void {
    const isTransfer = name.startsWith('backUpDomains') || name.startsWith('readFile ');
    const node = this.#nodes().find((one) => one.name === asker.name);
    if ((kind === 'read' && !isTransfer) || node === undefined) return () => {};
    const isForTask = this.#holdsTaskOn(node, device.name);
    if (!isForTask && !this.#holdsGuardOf(node, device.name))
      this.#broken('I14', `${node.name} sent ${name} to ${device.name} without holding anything there`);
    const own = {
      node,
      isForTask,
      isTransfer,
      life: node.boundary,
      suspensions: node.boundary?.suspensions ?? 0,
    };
    const all = this.#outstanding.get(device.name) ?? new Set();
    this.#outstanding.set(device.name, all);
    for (const one of all) {
      // What was sent before a process stood still may be on its way until the process finds out that it lost its claim.
      const isAlive = one.node.boundary === one.life && one.life?.suspensions === one.suspensions;
      if (isAlive && one.node !== node && !mayGoTogether(one, own))
        this.#broken('I7', `${node.name} sent ${name} to ${device.name} while ${one.node.name} was at it`);
    }
    all.add(own);
    return () => all.delete(own);
  }

  #holdsTaskOn(node: SimulatedNode, device: string): boolean {
    const { kernel, holdings } = this.#world;
    return holdings
      .heldBy(node.name)
      .some(({ key, heardOfAt }) => key === device && kernel.now - heardOfAt <= LEASE_MS);
  }

  #holdsGuardOf(node: SimulatedNode, device: string): boolean {
    const { kernel, openGuards } = this.#world;
    return openGuards.some(
      (guard) =>
        guard.device === device &&
        guard.reconciledBy === node.name &&
        (guard.reconciledUntil ?? 0) >= kernel.now,
    );
  }

  #viewOf(subjectId: string): TaskView {
    const view = this.#tasks.get(subjectId) ?? { isCancelled: false, starts: 0, toldInStep: -1 };
    this.#tasks.set(subjectId, view);
    return view;
  }
}

function covers({ scope }: RememberedGuard, domain: string): boolean {
  return scope.kind === 'device' ? domain !== 'default' : scope.domain === domain;
}

/** One fact as a line. */
function textOf(fact: Fact): string {
  switch (fact.type) {
    case 'intended':
      return `intends ${fact.effect.type}`;
    case 'settled':
      return `${fact.effect.type}: ${fact.reply.ok ? 'done' : `${fact.reply.fault.code} (${fact.reply.fault.effect})`}`;
    case 'noted':
      return `notes ${(fact.note as { type: string }).type}`;
    case 'told':
      return `is told ${JSON.stringify(fact.command)}`;
    case 'ended': {
      const { status, reason } = fact.verdict as { status: string; reason: { code: string } | null };
      return `ends ${status} ${reason?.code ?? ''}`;
    }
    case 'takenOver':
      return 'is taken over';
  }
}

function mayGoTogether(one: Outstanding, other: Outstanding): boolean {
  return (
    [one, other].some(({ isForTask, isTransfer }) => isForTask && isTransfer) &&
    one.isForTask !== other.isForTask
  );
}
