import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { discardBackup } from './discard-backup.ts';
import { type PublishRequest, publishBackup } from './publish-backup.ts';
import { rescanStore } from './rescan-store.ts';
import { initStore, openStore, type StoreRoot } from './store-root.ts';
import { DiskAfterCut, type Fate, stepsAtStake } from './testing/disk-after-cut.ts';
import { fatesOfSteps, seededNumbers } from './testing/fates-of-steps.ts';
import { lookAtPublished } from './testing/look-at-published.ts';
import {
  receiveAndVerify,
  requestFor,
  type SentBackup,
  sentExport,
  sentSecureBackup,
} from './testing/take-backup.ts';
import { codeOf, must } from './testing/temporary-store.ts';

const recorder = await vi.hoisted(async () => {
  const { DiskRecorder } = await import('./testing/disk-recorder.ts');
  return new DiskRecorder();
});

vi.mock('node:fs/promises', async (importOriginal) => recorder.wrap(await importOriginal()));

// One step of a story: the task whose backup is whole from the step on, or gone.
interface Mark {
  readonly atStep: number;
  readonly taskId: string;
  readonly is: 'received' | 'stored' | 'leaving' | 'gone';
}

const counts = { cuts: 0, states: 0, torn: 0 };
let parent: string;
let root: StoreRoot;
let beganAt: number;
let marks: Mark[];
let requests: Map<string, PublishRequest>;

beforeAll(() => {
  parent = mkdtempSync('/dev/shm/stillpoint-cut-');
});

afterAll(() => {
  rmSync(parent, { recursive: true });
  console.log(`R-02: ${counts.states} states after ${counts.cuts} power cuts, ${counts.torn} torn`);
});

afterEach(async () => {
  recorder.end();
  await root[Symbol.asyncDispose]();
});

async function beginStory(): Promise<string> {
  const path = mkdtempSync(join(parent, 'store-'));
  recorder.begin(path);
  marks = [];
  requests = new Map();
  must(await initStore({ root: path, requiresRemoteMount: false }));
  root = must(await openStore({ root: path, requiresRemoteMount: false, expectedStoreId: null }));
  beganAt = recorder.steps.length;
  return path;
}

function mark(taskId: string, is: Mark['is']): void {
  marks.push({ atStep: recorder.steps.length, taskId, is });
}

async function store(taskId: string, sent: SentBackup): Promise<void> {
  const received = must(await receiveAndVerify(root, taskId, sent));
  const request = requestFor(taskId, sent, received);
  requests.set(taskId, request);
  mark(taskId, 'received');
  must(await publishBackup(root, request));
  mark(taskId, 'stored');
}

async function discard(taskId: string): Promise<void> {
  mark(taskId, 'leaving');
  must(await discardBackup(root, taskId));
  mark(taskId, 'gone');
}

type ExpectOrder = (path: string, cut: Cut) => Promise<void>;

/** One power cut: what the steps before it have left. */
interface Cut {
  readonly disk: DiskAfterCut;
  readonly length: number;
  readonly fates: ReadonlyMap<number, Fate>;
  /** Whether what was received is published again, before it is taken back. */
  readonly triesAgain: boolean;
}

interface Plan {
  readonly firstStep: number;
  /** So many steps are durable by then, synced or not. */
  readonly settledSteps?: number;
  readonly mixtures: number;
  readonly seed: number;
}

/** Cuts the power after each step from `firstStep` on, each time with many choices of what that undoes. */
async function cutEverywhere(
  { firstStep, settledSteps = firstStep, mixtures, seed }: Plan,
  expectOrder: ExpectOrder = expectBackupsInOrder,
): Promise<void> {
  recorder.end();
  const { steps, folders } = recorder;
  const random = seededNumbers(seed);
  const cuts = new Map<string, Cut>();
  for (let length = firstStep; length <= steps.length; length += 1) {
    const atStake = stepsAtStake(steps, length).filter((index) => index >= settledSteps);
    const told = marks.filter(({ atStep }) => atStep <= length).length;
    for (const fates of fatesOfSteps(atStake, mixtures, random)) {
      counts.cuts += 1;
      const disk = new DiskAfterCut(steps, length, fates, folders);
      const key = `${told} ${disk.fingerprint()}`;
      if (!cuts.has(key)) cuts.set(key, { disk, length, fates, triesAgain: cuts.size % 2 === 0 });
    }
  }
  const waiting = cuts.values();
  const lane = async (): Promise<void> => {
    for (const cut of waiting) await lookAfter(cut, expectOrder);
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
}

async function lookAfter(cut: Cut, expectOrder: ExpectOrder): Promise<void> {
  counts.states += 1;
  const path = mkdtempSync(join(parent, 'cut-'));
  try {
    cut.disk.materialise(path);
    await expectOrder(path, cut);
  } catch (error) {
    const told = [...cut.fates].map(([index, fate]) => `${index} ${describe(recorder.steps[index], fate)}`);
    throw new Error([`after ${cut.length} steps, with`, ...told, String(error)].join('\n'), { cause: error });
  } finally {
    rmSync(path, { recursive: true });
  }
}

function describe(step: (typeof recorder.steps)[number] | undefined, fate: Fate): string {
  const what =
    step?.kind === 'names'
      ? step.changes.map(({ folder, name, node }) => `${folder}/${name} -> ${node}`)
      : [step?.kind, step && 'node' in step ? step.node : ''];
  return `${what.join(', ')}: ${typeof fate === 'string' ? fate : 'in part'}`;
}

// Looks at what is left, lets a server end what it had not ended, and looks again.
async function expectBackupsInOrder(path: string, { length, triesAgain }: Cut): Promise<void> {
  const standing = new Map(
    marks.filter(({ atStep }) => atStep <= length).map(({ taskId, is }) => [taskId, is]),
  );
  const stored = [...standing].filter(([, is]) => is === 'stored').map(([taskId]) => taskId);
  const others = [...new Set(marks.map(({ taskId }) => taskId))].filter((taskId) => !stored.includes(taskId));
  await using found = must(
    await openStore({ root: path, requiresRemoteMount: false, expectedStoreId: null }),
  );
  const { backups, problems } = await look(found, path);
  for (const taskId of stored) expect(backups).toContain(taskId);
  for (const taskId of others) if (standing.get(taskId) === 'gone') expect(backups).not.toContain(taskId);
  expect(problems.filter((code) => !tolerated.has(code))).toEqual([]);
  for (const taskId of others) {
    const request = requests.get(taskId);
    const isReceived = standing.get(taskId) === 'received';
    const again =
      triesAgain && isReceived && request !== undefined ? await publishBackup(found, request) : undefined;
    if (again?.ok === true) expect((await look(found, path)).backups).toContain(taskId);
    expect(codeOf(await discardBackup(found, taskId))).toBe('ok');
  }
  expect(await look(found, path)).toEqual({ backups: stored.sort(), problems: [] });
}

// Of a backup that was on its way, all may be there but its files, or parts of it where nobody looks for backups.
const tolerated = new Set(['RESCAN_LEFTOVER', 'RESCAN_PUBLISH_UNFINISHED', 'RESCAN_FILE_MISSING']);

async function look(found: StoreRoot, path: string): Promise<{ backups: string[]; problems: string[] }> {
  const { torn, goodTasks } = lookAtPublished(path);
  counts.torn += torn.length;
  expect(torn).toEqual([]);
  const report = must(await rescanStore(found, { checksHashes: true }));
  const backups = report.backups.map(({ taskId }) => taskId).sort();
  expect([...goodTasks]).toEqual(expect.arrayContaining(backups));
  return { backups, problems: report.problems.map(({ code }) => code) };
}

const noise = (sizeBytes: number): string => randomBytes(sizeBytes).toString('hex');
const secureBackup = sentSecureBackup({
  'config.tgz': randomBytes(9000),
  'empty.tgz': Buffer.alloc(0),
  'root.tgz': randomBytes(5000),
});

test('a power cut while a store is set up leaves a whole marker or none', async () => {
  await beginStory();
  await cutEverywhere({ firstStep: 0, mixtures: 6, seed: 5 }, async (path) => {
    const location = { root: path, requiresRemoteMount: false };
    const found = await openStore({ ...location, expectedStoreId: null });
    if (found.ok) await found.value[Symbol.asyncDispose]();
    else expect(found.fault.code).toBe('STORE_MARKER_MISSING');
    expect(codeOf(await initStore(location))).toBe('ok');
  });
});

test.each([
  ['an export of one part', ['persisted.zip']],
  ['an export of two parts', ['persisted.zip', 'nonpersisted.zip']],
])('a power cut in the middle of the first backup, %s, leaves no torn file', async (_, parts) => {
  await beginStory();
  await store('task-1', await sentExport(parts, noise(6000)));
  await cutEverywhere({ firstStep: beganAt, mixtures: 6, seed: 1 });
});

test('a power cut in the middle of a secure backup leaves no torn file', async () => {
  await beginStory();
  await store('task-1', secureBackup);
  await cutEverywhere({ firstStep: beganAt, mixtures: 6, seed: 2 });
});

test('a power cut in the middle of a second backup leaves no torn file, and the first one as it was', async () => {
  await beginStory();
  const parts = ['persisted.zip', 'nonpersisted.zip'];
  await store('task-1', await sentExport(parts, noise(2000)));
  await store('task-2', secureBackup);
  const begun = recorder.steps.length;
  await store('task-3', await sentExport(parts, noise(6000)));
  await store('task-4', secureBackup);
  await cutEverywhere({ firstStep: begun, mixtures: 4, seed: 3 });
});

test('a power cut while backups are taken back leaves no torn file, and the others as they were', async () => {
  await beginStory();
  await store('task-1', await sentExport(['persisted.zip'], noise(2000)));
  await store('task-2', await sentExport(['persisted.zip', 'nonpersisted.zip'], noise(2000)));
  await store('task-3', secureBackup);
  const begun = recorder.steps.length;
  await discard('task-2');
  await discard('task-3');
  await cutEverywhere({ firstStep: begun, mixtures: 6, seed: 4 });
});

test('a power cut long after a process was killed in the middle of a backup leaves no torn file', async () => {
  const sent = await sentExport(['persisted.zip'], noise(500));
  let kills = 0;
  for (let isKilled = true, step = 0; isKilled; step += 1) {
    isKilled = await storeAfterKill(step, sent, 'another');
    if (await storeAfterKill(step, sent, 'the same')) kills += 1;
  }
  expect(kills).toBeGreaterThan(25);
});

test.each([
  ['an export', () => sentExport(['persisted.zip', 'nonpersisted.zip'], noise(500))],
  ['a secure backup', async () => secureBackup],
])(
  'a power cut long after a process was killed while it took %s back leaves no torn file',
  async (_, send) => {
    const sent = await send();
    let kills = 0;
    for (let isKilled = true, step = 0; isKilled; step += 1) {
      const path = await beginStory();
      await store('task-1', sent);
      recorder.diesAtStep = recorder.steps.length + step;
      mark('task-1', 'leaving');
      isKilled = !(await discardBackup(root, 'task-1')).ok;
      if (isKilled) kills += 1;
      recorder.diesAtStep = Number.POSITIVE_INFINITY;
      await discard('task-1');
      await cutEverywhere({ firstStep: recorder.steps.length, settledSteps: 0, mixtures: 0, seed: 7 });
      await root[Symbol.asyncDispose]();
      rmSync(path, { recursive: true });
    }
    expect(kills).toBeGreaterThan(4);
  },
);

// Kills at a step of a backup, lets somebody else finish it or take it back and take another, and cuts the power then.
async function storeAfterKill(
  step: number,
  sent: SentBackup,
  next: 'the same' | 'another',
): Promise<boolean> {
  const path = await beginStory();
  recorder.diesAtStep = recorder.steps.length + step;
  const received = await receiveAndVerify(root, 'task-1', sent);
  const request = received.ok ? requestFor('task-1', sent, received.value) : undefined;
  const published = request === undefined ? received : await publishBackup(root, request);
  recorder.diesAtStep = Number.POSITIVE_INFINITY;
  if (next === 'the same' && request !== undefined) {
    must(await publishBackup(root, request));
    mark('task-1', 'stored');
  } else {
    await discard('task-1');
    await store('task-2', sent);
  }
  await cutEverywhere({ firstStep: recorder.steps.length, settledSteps: 0, mixtures: 0, seed: 6 });
  await root[Symbol.asyncDispose]();
  rmSync(path, { recursive: true });
  return !published.ok;
}
