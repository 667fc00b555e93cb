import { describe, expect, test } from 'vitest';
import { createClient } from './client.ts';
import { problemOf } from './problem.ts';

interface Seen {
  url: string;
  init: RequestInit;
}

function clientOf(reply: () => Response | Promise<Response>, token: string | null = 'secret') {
  const seen: Seen[] = [];
  const client = createClient({
    url: 'http://stillpoint.test:8044/',
    token,
    fetch: async (url, init) => {
      seen.push({ url: url instanceof Request ? url.url : url.toString(), init: init ?? {} });
      return reply();
    },
  });
  return { client, seen };
}

const emptyPage = () => Response.json({ items: [], nextCursor: null });

describe('a request', () => {
  test('carries names percent-encoded, only the queries that are given, and the token', async () => {
    const { client, seen } = clientOf(emptyPage);
    await client.getPlan({ params: { name: 'a/b ?ü' } });
    await client.listRuns({ query: { plan: 'a&b', limit: 5, cursor: undefined } });
    expect(seen.map(({ url }) => url)).toEqual([
      'http://stillpoint.test:8044/api/v1/plans/a%2Fb%20%3F%C3%BC',
      'http://stillpoint.test:8044/api/v1/runs?plan=a%26b&limit=5',
    ]);
    expect(seen[0]?.init).toMatchObject({
      method: 'GET',
      redirect: 'manual',
      headers: { authorization: 'Bearer secret' },
    });
    expect(seen[0]?.init.body).toBeUndefined();
  });

  test('with a body is JSON, also when there is nothing to say', async () => {
    const { client, seen } = clientOf(emptyPage);
    await client.cancelRun({ params: { id: 'r1' } });
    await client.setParameter({ params: { name: 'devices.parallel' }, body: { value: 8 } });
    expect(seen.map(({ init }) => init.body)).toEqual(['{}', '{"value":8}']);
    expect(seen[1]?.init).toMatchObject({ method: 'PUT', headers: { 'content-type': 'application/json' } });
  });

  test('without a token carries no authorization', async () => {
    const { client, seen } = clientOf(() => Response.json({ status: 'ok', version: '1' }), null);
    expect(await client.getHealth()).toEqual({ ok: true, value: { status: 'ok', version: '1' } });
    expect(seen[0]?.init.headers).not.toHaveProperty('authorization');
  });
});

describe('an answer', () => {
  test('of the right shape is the value, without what a newer server adds', async () => {
    const { client } = clientOf(() => Response.json({ items: [], nextCursor: null, total: 0 }));
    expect(await client.listRuns()).toEqual({ ok: true, value: { items: [], nextCursor: null } });
  });

  test('that is a problem is handed on as it is', async () => {
    const problem = problemOf({ code: 'PLAN_NOT_FOUND', detail: 'There is no plan "x".' });
    const { client } = clientOf(() => Response.json(problem, { status: 404 }));
    expect(await client.getPlan({ params: { name: 'x' } })).toEqual({ ok: false, problem });
  });

  test.each([
    ['of another shape', () => Response.json({ items: 'none', nextCursor: null })],
    ['that is no JSON', () => new Response('<html>welcome</html>')],
    ['that is an error page', () => new Response('Bad gateway', { status: 502 })],
    [
      'that leads elsewhere',
      () => new Response(null, { status: 302, headers: { location: 'http://other.test' } }),
    ],
    [
      'with a status that this call does not have',
      () => Response.json({ items: [], nextCursor: null }, { status: 202 }),
    ],
  ])('%s is not understood', async (_, reply) => {
    const answer = await clientOf(reply).client.listRuns();
    expect(answer).toMatchObject({ ok: false, problem: { code: 'REPLY_NOT_UNDERSTOOD', status: 0 } });
    expect(JSON.stringify(answer)).toContain('http://stillpoint.test:8044');
  });

  test.each([
    [new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }), 'connect ECONNREFUSED'],
    [new TypeError('fetch failed', { cause: new AggregateError([new Error('no route')]) }), 'no route'],
    [new DOMException('timed out', 'TimeoutError'), 'no answer in time'],
    [new TypeError('bad'), 'bad'],
    ['odd', 'unknown reason'],
  ])('that never came is told with the address and the reason (%#)', async (error, reason) => {
    const answer = await clientOf(() => Promise.reject(error)).client.listRuns();
    expect(answer).toMatchObject({ ok: false, problem: { code: 'SERVER_UNREACHABLE' } });
    expect(answer.ok || answer.problem.detail).toBe(
      `The server at http://stillpoint.test:8044/ could not be reached: ${reason}.`,
    );
  });
});
