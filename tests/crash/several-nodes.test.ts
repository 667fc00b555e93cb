import { describe, expect, it } from 'vitest';
import { beginCluster, type Cluster } from './testing/begin-cluster.ts';
import { type DatabaseLink, openDatabaseLink } from './testing/database-link.ts';
import { bringInFlight, inFlightDevices } from './testing/devices-in-flight.ts';
import { expectOrder, untilSettled } from './testing/expect-order.ts';
import { good } from './testing/good.ts';
import type { ServerProcess } from './testing/start-server-process.ts';
import { dealtWithAfterMs, readInFlight } from './testing/take-over-times.ts';

/** The other node deals with every device that was in flight. */
const TAKE_OVER_MS = 20_000;
/** Everything in flight is finished or undone. */
const UNDONE_MS = 60_000;
/** A node touches nothing once it could not renew its claims for so long: 0.7 of its lease of ten seconds. */
const FENCE_MS = 7_000;
/** The one that does not come back. */
const KILLED = 'kill -9';

function begin(): Promise<Cluster> {
  return beginCluster({
    devices: inFlightDevices.map(({ device }) => device),
    plans: inFlightDevices.map(({ plan }) => plan),
  });
}

/** Waits until the other node has dealt with everything, and says how long after an instant it had. */
async function takenOver(cluster: Cluster, at: number): Promise<{ slowestMs: number; undoneMs: number }> {
  const inFlight = await readInFlight(cluster);
  const left = UNDONE_MS - (Date.now() - at);
  await untilSettled(cluster, left);
  const undoneMs = Date.now() - at;
  const times = await dealtWithAfterMs(cluster, inFlight, at);
  expect(times.size).toBe(inFlight.length);
  const slowestMs = Math.max(...times.values());
  expect(slowestMs).toBeLessThanOrEqual(TAKE_OVER_MS);
  return { slowestMs, undoneMs };
}

const factsOf = async (cluster: Cluster): Promise<number | undefined> =>
  (await cluster.query<{ count: number }>('select count(*)::int4 as count from journal_fact'))[0]?.count;

const beatsOf = async (cluster: Cluster, name: string): Promise<number> =>
  Number(
    (await cluster.query<{ at: Date }>('select heartbeat_at as at from node where name = $1', [name]))[0]?.at,
  );

/** Wakes or mends a node that was away, waits until it is one of the nodes again, and counts what it sent meanwhile. */
async function comeBackLate(cluster: Cluster, name: string, comeBack: () => void): Promise<void> {
  let arrivals = 0;
  const count = (): void => {
    arrivals += 1;
  };
  const facts = await factsOf(cluster);
  let beat = await beatsOf(cluster, name);
  cluster.fleet.events.on('arrival', count);
  comeBack();
  // After its third beat it has long found out what it lost.
  for (let beats = 0; beats < 3; beats += 1) {
    beat = await cluster.until(async () => {
      const now = await beatsOf(cluster, name);
      expect(now).toBeGreaterThan(beat);
      return now;
    });
  }
  cluster.fleet.events.off('arrival', count);
  expect(arrivals, 'requests of a node that came back late').toBe(0);
  expect(await factsOf(cluster), 'facts once a node had come back late').toBe(facts);
}

/** A fact of one more run is written, and what others read of it on its way: neither is ever committed. */
async function cutInsideTransaction(link: DatabaseLink, { client }: ServerProcess): Promise<void> {
  const cut = link.cutAfter('update "run" set "status"');
  // Whether it is answered does not matter: what the answer says may be held up by the cut as well.
  void client.runPlan({ params: { name: 'dp6' }, body: {} });
  await cut;
}

/** The node that came back works again, alone. */
async function worksAgain(cluster: Cluster, node: ServerProcess, other: ServerProcess): Promise<void> {
  await other.end('SIGTERM');
  good(await node.client.runPlan({ params: { name: 'dp6' }, body: {} }));
  await untilSettled(cluster);
  const rows = await cluster.query(
    `select status from run where plan_name = 'dp6' order by number desc limit 1`,
  );
  expect(rows).toEqual([{ status: 'SUCCEEDED' }]);
}

const say = (what: string, { slowestMs, undoneMs }: { slowestMs: number; undoneMs: number }): void =>
  console.log(
    `R-15 ${what}: ${inFlightDevices.length} devices in flight; the other node dealt with all within ${Math.round(slowestMs)} ms, ` +
      `finished or undone after ${undoneMs} ms${what === KILLED ? '' : ', 0 requests and 0 facts of the node that came back'}`,
  );

describe('of two nodes', () => {
  it.concurrent('the one that lives takes over from the one that was killed', async () => {
    await using cluster = await begin();
    const first = await cluster.startNode('a');
    await bringInFlight(cluster, first);
    await cluster.startNode('b');
    await first.end('SIGKILL');
    const times = await takenOver(cluster, Date.now());
    await expectOrder(cluster);
    say(KILLED, times);
  }, 150_000);

  it.concurrent.each([
    ['alone', undefined],
    ['with its movers', 'andMovers'],
  ] as const)(
    'one that is frozen %s sends nothing when it wakes up late',
    async (how, andMovers) => {
      await using cluster = await begin();
      const first = await cluster.startNode('a');
      await bringInFlight(cluster, first);
      const second = await cluster.startNode('b');
      first.signal('SIGSTOP', andMovers);
      const times = await takenOver(cluster, Date.now());
      await expectOrder(cluster);
      await comeBackLate(cluster, 'a', () => first.signal('SIGCONT', andMovers));
      await expectOrder(cluster);
      await worksAgain(cluster, first, second);
      await expectOrder(cluster);
      say(`frozen ${how}`, times);
    },
    150_000,
  );

  it.concurrent.each([
    ['between two statements', false],
    ['in the middle of a transaction', true],
  ])(
    'one that is cut off from the database %s stops in time and sends nothing when it is back',
    async (how, isInside) => {
      await using cluster = await begin();
      await using link = await openDatabaseLink(cluster.database);
      const first = await cluster.startNode('a', link.url);
      await bringInFlight(cluster, first);
      const second = await cluster.startNode('b');
      if (isInside) await cutInsideTransaction(link, first);
      else link.cut();
      const cutAt = Date.now();
      const arrivals: number[] = [];
      const note = (): void => void arrivals.push(Date.now());
      cluster.fleet.events.on('arrival', note);
      const times = await takenOver(cluster, cutAt);
      cluster.fleet.events.off('arrival', note);
      const [firstFact] = await cluster.query<{ at: number }>(
        `select min((body->>'at')::float8) as at from journal_fact where (body->>'at')::float8 > $1`,
        [cutAt],
      );
      const between = arrivals.filter((at) => at > cutAt + FENCE_MS && at < (firstFact?.at ?? 0));
      expect(between, 'requests after the fence and before the take-over').toEqual([]);
      await expectOrder(cluster);
      await comeBackLate(cluster, 'a', link.mend);
      await expectOrder(cluster);
      await worksAgain(cluster, first, second);
      await expectOrder(cluster);
      say(`cut off ${how}`, times);
    },
    150_000,
  );
});
