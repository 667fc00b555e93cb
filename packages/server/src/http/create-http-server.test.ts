import { connect } from 'node:net';
import { type Problem, problemShape, type Route, type RouteName, routes } from '@stillpoint/contract';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { pino } from 'pino';
import { afterEach, describe, expect, test } from 'vitest';
import type { Application } from '../app/application.ts';
import { createHttpServer } from './create-http-server.ts';
import { openApiDocument } from './open-api-document.ts';
import { sampleApplication } from './sample-application.ts';

const token = 'the-right-token';
const servers: FastifyInstance[] = [];
let logged: string[] = [];

afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  logged = [];
});

function serve(changes: Partial<Application> = {}): FastifyInstance {
  const logger = pino({ level: 'debug' }, { write: (line) => logged.push(line) });
  const server = createHttpServer(sampleApplication(changes), { token, logger, version: '1.2.3' });
  servers.push(server);
  return server;
}

const bodies: Partial<Record<RouteName, object>> = {
  setParameter: { value: 8 },
  previewDefinition: { name: 'nightly' },
  rerunRun: { onlyFailed: true },
};

function requestOf(name: RouteName, headers: Record<string, string> = { authorization: `Bearer ${token}` }) {
  const route: Route = routes[name];
  const path = route.path
    .replace('{name}', name === 'testDevice' ? 'a%2Fb' : 'some.thing')
    .replace('{id}', 'r1');
  const request: InjectOptions = { method: route.method, url: `/api/v1${path}`, headers };
  return route.method === 'GET' ? request : { ...request, payload: bodies[name] ?? {} };
}

function apply(payload: unknown, headers: Record<string, string> = {}): InjectOptions {
  return {
    method: 'POST',
    url: '/api/v1/apply',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
  };
}

const names = Object.keys(routes) as RouteName[];
const closed = names.filter((name) => name !== 'getHealth');

describe('the door', () => {
  test.each(closed)('%s refuses a call without token, and one with a wrong token', async (name) => {
    let calls = 0;
    const spy = new Proxy(sampleApplication(), { get: () => () => calls++ });
    const server = serve(spy);
    for (const authorization of [
      undefined,
      'Bearer wrong',
      `Basic ${token}`,
      'Bearer',
      token,
      `Bearer ${token}x`,
    ]) {
      const reply = await server.inject(
        requestOf(name, authorization === undefined ? {} : { authorization }),
      );
      expect(reply.statusCode).toBe(401);
      expect(reply.headers['www-authenticate']).toContain('Bearer');
      expect(reply.json<Problem>().code).toBe('NOT_AUTHORISED');
    }
    expect(calls).toBe(0);
  });

  test('health answers without token', async () => {
    const reply = await serve().inject('/api/v1/health');
    expect(reply.statusCode).toBe(200);
    expect(reply.json()).toEqual({ status: 'ok', version: '1.2.3' });
  });

  test('a stranger does not learn which paths exist, nor the OpenAPI document', async () => {
    const server = serve();
    for (const url of ['/', '/api/v1/nothing', '/api/v1/openapi.json', '/api/v1/health/', '/API/v1/health'])
      expect((await server.inject(url)).statusCode).toBe(401);
  });

  test('an empty token is a bug and not an open door', () => {
    const logger = pino({ level: 'silent' });
    expect(() => createHttpServer(sampleApplication(), { token: '', logger, version: '1' })).toThrow(
      /empty token/,
    );
  });
});

describe('a call with the token', () => {
  test.each(names)('%s answers in the shape of the contract', async (name) => {
    const reply = await serve().inject(requestOf(name));
    expect(reply.statusCode).toBe(Object.hasOwn(routes[name].replies, 202) ? 202 : 200);
    expect(reply.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    expect(reply.headers['cache-control']).toBe('no-store');
  });

  test('hands names, queries and bodies to the application with defaults filled in', async () => {
    const seen: unknown[] = [];
    const sample = sampleApplication();
    const server = serve({
      testDevice: (name) => {
        seen.push(name);
        return sample.testDevice(name);
      },
      listRuns: (query) => {
        seen.push(query);
        return sample.listRuns(query);
      },
      applyDocument: (document, options) => {
        seen.push(document, options);
        return sample.applyDocument(document, options);
      },
    });
    const headers = { authorization: `bearer ${token}` };
    await server.inject(requestOf('testDevice'));
    await server.inject({ url: '/api/v1/runs?plan=a%20b&limit=7', headers });
    const tls = { system: true };
    await server.inject({
      ...apply({ devices: [{ name: 'QA1', host: 'qa1', username: 'u', password: 'p', tls }] }),
      url: '/api/v1/apply?dryRun=true',
    });
    expect(seen).toEqual([
      'a/b',
      { plan: 'a b', limit: 7 },
      {
        parameters: {},
        plans: [],
        devices: [
          {
            name: 'QA1',
            host: 'qa1',
            somaPort: 5550,
            restPort: null,
            username: 'u',
            password: 'p',
            tags: {},
            enabled: true,
            tls,
          },
        ],
      },
      { dryRun: true },
    ]);
  });

  test('a call that has nothing to say may be made without a body', async () => {
    const reply = await serve().inject({ ...requestOf('runPlan'), payload: '' });
    expect(reply.statusCode).toBe(202);
  });

  test('a field that the contract does not know never leaves the server', async () => {
    const sample = sampleApplication();
    const server = serve({
      listDevices: async () => {
        const devices = await sample.listDevices();
        if (devices.ok) for (const device of devices.value) Object.assign(device, { password: 'hunter2' });
        return devices;
      },
    });
    const reply = await server.inject(requestOf('listDevices'));
    expect(reply.statusCode).toBe(200);
    expect(reply.body).not.toContain('hunter2');
  });
});

describe('a problem', () => {
  async function problem(request: InjectOptions, changes: Partial<Application> = {}) {
    const reply = await serve(changes).inject(request);
    expect(reply.headers['content-type']).toBe('application/problem+json; charset=utf-8');
    expect(reply.headers['x-frame-options']).toBe('DENY');
    const body = problemShape.parse(reply.json());
    expect(body.status).toBe(reply.statusCode);
    return body;
  }
  const authorised = { authorization: `Bearer ${token}` };

  test('of the application carries its code, detail and fields, and the remedy of the catalogue', async () => {
    const errors = [{ path: '/plans/0/schedule', code: 'SCHEDULE_NOT_VALID', message: 'has no day 32' }];
    const body = await problem(apply({}), {
      applyDocument: async () => ({
        ok: false,
        problem: { code: 'DOCUMENT_REFUSED', detail: 'One mistake.', errors },
      }),
    });
    expect(body).toEqual({
      type: 'urn:stillpoint:problem:DOCUMENT_REFUSED',
      title: 'The document has mistakes, so nothing of it was applied.',
      status: 422,
      code: 'DOCUMENT_REFUSED',
      detail: 'One mistake.',
      remedy: 'Correct the fields that are named and apply it again.',
      errors,
    });
  });

  test.each(['a fix pack\0tonight', 'a fix pack tonight \ud800'])(
    'refuses the text %j, which no database keeps',
    async (windowOverrideReason) => {
      const url = '/api/v1/plans/nightly/runs';
      const body = await problem({
        method: 'POST',
        url,
        headers: authorised,
        payload: { windowOverrideReason },
      });
      expect(body).toMatchObject({ code: 'REQUEST_NOT_VALID', errors: [{ path: '/windowOverrideReason' }] });
      const query = await problem({ url: '/api/v1/runs?plan=a%00b', headers: authorised });
      expect(query).toMatchObject({ code: 'REQUEST_NOT_VALID', errors: [{ path: '/plan' }] });
    },
  );

  test('names every mistake of a body at once, unknown keys too, and no secret', async () => {
    const body = await problem(
      apply({
        devices: [
          { name: 'QA1', host: 'h', username: 'u', password: 'hunter2\u0000', pasword: 'hunter2', tls: {} },
        ],
        plans: [
          {
            name: 'p',
            activities: [{ secureBackup: { devices: '*', certificate: 'c', errorPolicy: 'stop' } }],
          },
        ],
      }),
    );
    expect(body.code).toBe('REQUEST_NOT_VALID');
    expect(body.errors?.map(({ path, code }) => `${path} ${code}`)).toEqual([
      '/devices/0/tls EXACTLY_ONE',
      '/devices/0/pasword UNKNOWN_KEY',
      '/plans/0/activities/0/secureBackup/errorPolicy NOT_ONE_OF',
    ]);
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });

  test.each([
    ['an unknown query', { url: '/api/v1/runs?stat=FAILED', headers: authorised }, 'REQUEST_NOT_VALID'],
    ['a repeated query', { url: '/api/v1/runs?plan=a&plan=b', headers: authorised }, 'REQUEST_NOT_VALID'],
    ['a limit of no number', { url: '/api/v1/runs?limit=many', headers: authorised }, 'REQUEST_NOT_VALID'],
    ['a query where none is taken', { url: '/api/v1/devices?x=1', headers: authorised }, 'REQUEST_NOT_VALID'],
    [
      'an id of strange characters',
      { url: '/api/v1/runs/%2e%2e%2f', headers: authorised },
      'REQUEST_NOT_VALID',
    ],
    ['broken percent-encoding', { url: '/api/v1/runs/%zz', headers: authorised }, 'REQUEST_NOT_VALID'],
    [
      'a name far too long',
      { url: `/api/v1/plans/${'x'.repeat(3000)}`, headers: authorised },
      'REQUEST_NOT_VALID',
    ],
    [
      'a body where none is taken',
      { ...requestOf('cancelRun'), payload: { now: true } },
      'REQUEST_NOT_VALID',
    ],
    ['a body that is a list', apply([]), 'REQUEST_NOT_VALID'],
    ['broken JSON', apply('{"devices":'), 'BODY_NOT_READABLE'],
    ['an empty body said to be JSON', apply(''), 'BODY_NOT_READABLE'],
    ['__proto__ deep inside', apply('{"devices":[{"tags":{"__proto__":{"x":"y"}}}]}'), 'BODY_NOT_READABLE'],
    ['constructor.prototype', apply('{"constructor":{"prototype":{"x":1}}}'), 'BODY_NOT_READABLE'],
    ['a body of text', apply('x', { 'content-type': 'text/plain' }), 'CONTENT_TYPE_NOT_SUPPORTED'],
    ['a body of YAML', apply('x', { 'content-type': 'application/yaml' }), 'CONTENT_TYPE_NOT_SUPPORTED'],
    [
      'a body too large',
      { ...requestOf('setParameter'), payload: { value: 'x'.repeat(70_000) } },
      'BODY_TOO_LARGE',
    ],
    ['a path that is not there', { url: '/api/v1/nothing', headers: authorised }, 'ROUTE_NOT_FOUND'],
    [
      'a method that is not there',
      { method: 'DELETE', url: '/api/v1/store', headers: authorised },
      'ROUTE_NOT_FOUND',
    ],
  ] as [string, InjectOptions, string][])('of %s has its own code', async (_, request, code) => {
    expect((await problem(request)).code).toBe(code);
  });

  test('of a mistake of the server is logged with its request id and shows neither message nor stack', async () => {
    const body = await problem(requestOf('getStore'), {
      getStore: () => Promise.reject(new Error('secret connection string')),
    });
    expect(body.code).toBe('INTERNAL_ERROR');
    expect(JSON.stringify(body)).not.toMatch(/secret connection|\.ts|at /);
    const id = /log is ([0-9a-f-]{36})/.exec(body.detail)?.[1];
    expect(logged.some((line) => line.includes(`${id}`) && line.includes('secret connection string'))).toBe(
      true,
    );
  });

  test('of an answer that breaks the contract is a mistake of the server', async () => {
    const body = await problem(requestOf('getStore'), {
      getStore: async () => ({ ok: true, value: { path: 7 } as never }),
    });
    expect(body.code).toBe('INTERNAL_ERROR');
  });

  test('of bytes that are no HTTP request is a problem too, and closes the connection', async () => {
    const server = serve();
    const { port } = new URL(await server.listen({ host: '127.0.0.1', port: 0 }));
    const socket = connect(Number(port), '127.0.0.1', () => socket.end('NOT HTTP\r\n\r\n'));
    let text = '';
    for await (const chunk of socket) text += chunk;
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    const body = problemShape.parse(JSON.parse(text.split('\r\n\r\n')[1] ?? ''));
    expect(body.code).toBe('REQUEST_NOT_VALID');
  });
});

test('the log names method, path and status of a call, and neither token nor query', async () => {
  await serve().inject({ url: '/api/v1/runs?plan=nightly', headers: { authorization: `Bearer ${token}` } });
  const line = logged.find((text) => text.includes('answered')) ?? '';
  expect(JSON.parse(line)).toMatchObject({ method: 'GET', path: '/api/v1/runs', status: 200 });
  expect(logged.join('')).not.toContain(token);
});

test('the OpenAPI document has every call, closed unless it is public', async () => {
  const document = (await openApiDocument('1.2.3')) as {
    openapi: string;
    paths: Record<string, Record<string, { operationId: string; security: unknown[] }>>;
  };
  expect(document.openapi).toBe('3.1.0');
  const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
  expect(operations.map(({ operationId }) => operationId).sort()).toEqual([...names].sort());
  const open = operations.filter(({ security }) => security.length === 0);
  expect(open.map(({ operationId }) => operationId)).toEqual(['getHealth']);
  const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/([^"]+)"/g)];
  const schemas = (document as unknown as { components: { schemas: object } }).components.schemas;
  for (const [, name] of references) expect(schemas).toHaveProperty([`${name}`]);
});
