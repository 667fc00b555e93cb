import { randomUUID, randomUUIDv7 } from 'node:crypto';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type AnyProgram,
  Engine,
  type EngineOptions,
  type Fact,
  GIVEN_UP,
  type Program,
  systemClock,
} from '../../packages/engine/src/index.ts';
import { type EngineGround, memoryGround, postgresGround } from './testing/engine-ground.ts';

/** With `laterMs` it wants to be driven again after so long before it begins. */
type Spec = { steps: number; key: string; laterMs?: number };
type State = {
  left: number;
  pending: boolean;
  isTold: boolean;
  takeOvers: number;
  isEnded: boolean;
  hasWaited: boolean;
  readonly laterMs: number;
};

/** A program that takes some steps, each an effect that the test settles. */
function stepsProgram(
  perform: (subjectId: string, signal: AbortSignal) => Promise<void>,
): AnyProgram<unknown> {
  const program: Program<Spec, State, unknown> = {
    name: 'steps',
    begin: (spec: Spec): State => ({
      left: spec.steps,
      pending: false,
      isTold: false,
      takeOvers: 0,
      isEnded: false,
      hasWaited: spec.laterMs === undefined,
      laterMs: spec.laterMs ?? 0,
    }),
    evolve: (state: State, fact: Fact): State => {
      if (fact.type === 'intended') return { ...state, pending: true };
      if (fact.type === 'settled') return { ...state, pending: false, left: state.left - 1 };
      if (fact.type === 'takenOver') return { ...state, pending: false, takeOvers: state.takeOvers + 1 };
      if (fact.type === 'told') return { ...state, isTold: true };
      if (fact.type === 'noted') return { ...state, hasWaited: true };
      return fact.type === 'ended' ? { ...state, isEnded: true } : state;
    },
    next: (state: State) => {
      if (state.left === 0 || state.isTold)
        return { kind: 'finish', verdict: { takeOvers: state.takeOvers, left: state.left } };
      if (!state.hasWaited) return { kind: 'later', note: 'later', afterMs: state.laterMs };
      return { kind: 'do', effect: { type: 'step' } };
    },
    isLook: () => false,
    isNews: () => true,
    isGivenUp: (state: State) => state.isTold,
    perform: async (_effect, _state, { subjectId, signal }) => {
      await perform(subjectId, signal);
      return { ok: true, value: null };
    },
    project: async () => undefined,
  };
  return program as AnyProgram<unknown>;
}

type AnyGround = EngineGround<unknown>;

const grounds: readonly [string, () => Promise<AnyGround>][] = [
  ['a real PostgreSQL', postgresGround as () => Promise<AnyGround>],
  ['its double in memory', memoryGround as () => Promise<AnyGround>],
];

describe.each(grounds)('the engine on %s', (_, open) => {
  let ground: AnyGround;
  const engines: Engine<unknown>[] = [];

  beforeEach(async () => {
    ground = await open();
  });

  afterEach(async () => {
    for (const engine of engines.splice(0)) await engine.stop();
    await ground.close();
  });

  function makeEngine(
    program: AnyProgram<unknown>,
    parallel: number,
    nodeId: string,
    options: Partial<EngineOptions<unknown>> = {},
  ): Engine<unknown> {
    const engine = new Engine({
      journal: ground.journal,
      queue: ground.openQueue(),
      clock: systemClock,
      nodeId,
      programs: [{ program, parallel: () => parallel }],
      ...options,
    });
    engines.push(engine);
    return engine;
  }

  async function startEngine(
    program: AnyProgram<unknown>,
    parallel = 8,
    nodeId: string = randomUUID(),
  ): Promise<Engine<unknown>> {
    const engine = makeEngine(program, parallel, nodeId);
    engine.on('problem', (error) => expect.fail(error.stack));
    await engine.start();
    return engine;
  }

  async function submit(engine: Engine<unknown>, specs: readonly Spec[]): Promise<string[]> {
    const ids = specs.map(() => randomUUIDv7() as string).sort();
    const subjects = specs.map((spec, i) => ({ id: ids[i] ?? '', spec }));
    await engine.transact(async (trx) => {
      await engine.create(trx, 'steps', subjects);
      const entries = subjects.map(({ id, spec }, order) => ({ subjectId: id, key: spec.key, order }));
      await engine.enqueue(trx, 'steps', entries);
    });
    engine.lookForWork();
    return subjects.map(({ id }) => id);
  }

  async function factTypes(id: string): Promise<string[]> {
    return (await ground.journal.factsAfter(null, id, 0)).map(({ type }) => type);
  }

  /** Resolves with the verdicts once so many subjects have ended. */
  async function ends(engine: Engine<unknown>, count: number): Promise<Map<string, unknown>> {
    const verdicts = new Map<string, unknown>();
    while (verdicts.size < count) {
      const [{ subjectId, verdict }] = (await once(engine, 'ended')) as [
        { subjectId: string; verdict: unknown },
      ];
      verdicts.set(subjectId, verdict);
    }
    return verdicts;
  }

  it('drives a subject to its end and records intent and outcome of every effect', async () => {
    const engine = await startEngine(stepsProgram(async () => undefined));
    const ended = ends(engine, 1);
    const [id = ''] = await submit(engine, [{ steps: 2, key: 'a' }]);
    expect([...(await ended).values()]).toEqual([{ takeOvers: 0, left: 0 }]);
    expect(await factTypes(id)).toEqual(['intended', 'settled', 'intended', 'settled', 'ended']);
  });

  it('never works on two subjects of one key at once, and starts them in their order', async () => {
    const going = new Set<string>();
    const started: string[] = [];
    const keyOf = new Map<string, string>();
    let most = 0;
    const together = Promise.withResolvers<void>();
    const program = stepsProgram(async (subjectId) => {
      const key = keyOf.get(subjectId) ?? '';
      expect(going.has(key)).toBe(false);
      if (!started.includes(subjectId)) started.push(subjectId);
      going.add(key);
      most = Math.max(most, going.size);
      if (most > 1) together.resolve();
      await together.promise;
      going.delete(key);
    });
    const engine = await startEngine(program, 4);
    const specs = Array.from({ length: 24 }, (_, i) => ({ steps: 2, key: `device-${i % 6}` }));
    const ended = ends(engine, specs.length);
    const ids = await submit(engine, specs);
    ids.forEach((id, i) => {
      keyOf.set(id, specs[i]?.key ?? '');
    });
    await ended;
    for (let device = 0; device < 6; device++) {
      const expected = ids.filter((_, i) => i % 6 === device);
      expect(started.filter((id) => expected.includes(id))).toEqual(expected);
    }
    expect(most).toBeLessThanOrEqual(4);
  });

  it('takes over what a node of the same name held when it died, and records that the effect is in doubt', async () => {
    const nodeId = randomUUID();
    const begun = Promise.withResolvers<void>();
    const hanging = stepsProgram(async (_, signal) => {
      begun.resolve();
      await once(signal, 'abort');
    });
    const dead = await startEngine(hanging, 1, nodeId);
    const [id = ''] = await submit(dead, [{ steps: 1, key: 'a' }]);
    await begun.promise;
    await dead.stop();
    const engine = makeEngine(
      stepsProgram(async () => undefined),
      1,
      nodeId,
    );
    const ended = ends(engine, 1);
    await engine.start();
    expect((await ended).get(id)).toEqual({ takeOvers: 1, left: 0 });
    expect(await factTypes(id)).toEqual(['intended', 'takenOver', 'intended', 'settled', 'ended']);
  });

  it('writes nothing more for a subject that somebody else has taken hold of', async () => {
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const engine = await startEngine(
      stepsProgram(async () => {
        begun.resolve();
        await goOn.promise;
      }),
    );
    const [id = ''] = await submit(engine, [{ steps: 1, key: 'a' }]);
    await begun.promise;
    await engine.drain();
    expect((await ground.journal.takeHold(id, 99, randomUUID())).kind).toBe('taken');
    goOn.resolve();
    await engine.stop();
    expect(await factTypes(id)).toEqual(['intended']);
  });

  it('ends a subject that is told to stop before anybody has begun it', async () => {
    const performed: string[] = [];
    const begun = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const engine = await startEngine(
      stepsProgram(async (subjectId) => {
        performed.push(subjectId);
        begun.resolve();
        await goOn.promise;
      }),
    );
    const [first = '', second = ''] = await submit(engine, [
      { steps: 1, key: 'a' },
      { steps: 1, key: 'a' },
    ]);
    await begun.promise;
    expect(await engine.tell(second, { type: 'stop' })).toBe(true);
    expect(await factTypes(second)).toEqual(['told', 'ended']);
    const ended = ends(engine, 1);
    goOn.resolve();
    await ended;
    expect(performed).toEqual([first]);
    expect(await engine.tell(first, { type: 'stop' })).toBe(false);
  });

  it('drives others of a key while one of them is put off, and that one again when its time has come', async () => {
    const performed: string[] = [];
    const engine = await startEngine(
      stepsProgram(async (subjectId) => void performed.push(subjectId)),
      1,
    );
    const ended = ends(engine, 2);
    const [first = '', second = ''] = await submit(engine, [
      { steps: 1, key: 'a', laterMs: 300 },
      { steps: 1, key: 'a' },
    ]);
    expect((await ended).get(first)).toEqual({ takeOvers: 1, left: 0 });
    expect(performed).toEqual([second, first]);
    expect(await factTypes(first)).toEqual(['noted', 'takenOver', 'intended', 'settled', 'ended']);
  });

  it('ends one that was put off at once when it is told to stop', async () => {
    const engine = await startEngine(stepsProgram(async () => undefined));
    const putOff = once(engine, 'putOff');
    const [id = ''] = await submit(engine, [{ steps: 1, key: 'a', laterMs: 3_600_000 }]);
    await putOff;
    await expect.poll(() => engine.going('steps')).toEqual([]);
    expect(await engine.tell(id, { type: 'stop' })).toBe(true);
    expect(await factTypes(id)).toEqual(['noted', 'told', 'ended']);
  });

  it('leaves to its time what was put off by a node that starts again', async () => {
    const nodeId = randomUUID();
    const engine = await startEngine(
      stepsProgram(async () => undefined),
      8,
      nodeId,
    );
    const putOff = once(engine, 'putOff');
    const [id = ''] = await submit(engine, [{ steps: 1, key: 'a', laterMs: 3_600_000 }]);
    await putOff;
    await engine.stop();
    const again = await startEngine(
      stepsProgram(async () => undefined),
      8,
      nodeId,
    );
    const ended = ends(again, 1);
    const [other = ''] = await submit(again, [{ steps: 1, key: 'a' }]);
    expect([...(await ended).keys()]).toEqual([other]);
    expect(await factTypes(id)).toEqual(['noted']);
  });

  it('gives up the effect that is going on when what is told takes its sense away', async () => {
    const begun = Promise.withResolvers<void>();
    let reason: unknown;
    const engine = await startEngine(
      stepsProgram(async (_, signal) => {
        begun.resolve();
        await once(signal, 'abort');
        ({ reason } = signal);
      }),
    );
    const [id = ''] = await submit(engine, [{ steps: 2, key: 'a' }]);
    await begun.promise;
    const ended = ends(engine, 1);
    await engine.tell(id, { type: 'stop' });
    expect((await ended).get(id)).toEqual({ takeOvers: 0, left: 1 });
    expect(reason).toBe(GIVEN_UP);
    expect(await factTypes(id)).toEqual(['intended', 'told', 'settled', 'ended']);
  });
});
