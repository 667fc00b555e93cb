import type { z } from 'zod';
import type { Answer } from './answer.ts';
import { parseShape } from './parse-shape.ts';
import { problemOf, problemShape } from './problem.ts';
import type { Route } from './route.ts';
import type { RouteName, RouteReply, RouteRequest } from './route-types.ts';
import { apiPrefix, routes } from './routes.ts';

/** Where the server is and how to speak to it. */
export interface ClientOptions {
  /** Base address, e.g. `http://127.0.0.1:8044`. */
  readonly url: string;
  readonly token: string | null;
  /** Longest wait for one answer, in milliseconds; default 120,000, since a device test may wait for the device. */
  readonly timeoutMs?: number;
  readonly fetch?: typeof fetch;
}

type Arguments<Name extends RouteName> =
  Record<never, never> extends RouteRequest<Name>
    ? [request?: RouteRequest<Name>]
    : [request: RouteRequest<Name>];

/** One method per call of the table; none of them throws for what the network or the server does. */
export type Client = {
  readonly [Name in RouteName]: (...args: Arguments<Name>) => Promise<Answer<RouteReply<Name>>>;
};

interface Parts {
  readonly params?: Record<string, string>;
  readonly query?: Record<string, string | number | undefined>;
  readonly body?: unknown;
}

/** A typed client made from the table of routes. */
export function createClient(options: ClientOptions): Client {
  const calls = Object.entries<Route>(routes).map(([name, route]) => [
    name,
    (parts: Parts = {}) => call(options, route, parts),
  ]);
  return Object.fromEntries(calls) as Client;
}

async function call(options: ClientOptions, route: Route, parts: Parts): Promise<Answer<unknown>> {
  const send = options.fetch ?? fetch;
  let status: number;
  let text: string;
  try {
    const response = await send(addressOf(options.url, route, parts), requestOf(options, route, parts));
    status = response.status;
    text = await response.text();
  } catch (error) {
    const detail = `The server at ${options.url} could not be reached: ${causeOf(error)}.`;
    return { ok: false, problem: problemOf({ code: 'SERVER_UNREACHABLE', detail }) };
  }
  return readReply(options.url, route, status, text);
}

function addressOf(base: string, route: Route, { params = {}, query = {} }: Parts): string {
  const path = route.path.replace(/\{(\w+)\}/g, (_, key: string) => encodeURIComponent(params[key] ?? ''));
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  const question = search.size === 0 ? '' : `?${search}`;
  return `${base.replace(/\/+$/, '')}${apiPrefix}${path}${question}`;
}

function requestOf(
  { token, timeoutMs = 120_000 }: ClientOptions,
  route: Route,
  { body = {} }: Parts,
): RequestInit {
  const headers: Record<string, string> = { accept: 'application/json, application/problem+json' };
  if (token !== null) headers.authorization = `Bearer ${token}`;
  // A token must not follow a redirect to somewhere else.
  const request: RequestInit = {
    method: route.method,
    headers,
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  };
  if (route.method === 'GET') return request;
  headers['content-type'] = 'application/json';
  return { ...request, body: JSON.stringify(body) };
}

function readReply(url: string, route: Route, status: number, text: string): Answer<unknown> {
  const json = parseJson(text);
  const shape = (route.replies as Record<number, z.ZodType | undefined>)[status];
  if (shape !== undefined) {
    const reply = parseShape(shape, json);
    if (reply.ok) return reply;
    const place = reply.errors[0];
    return notUnderstood(
      url,
      `its answer to ${route.path} is not as expected at "${place?.path}": ${place?.message}`,
    );
  }
  const problem = parseShape(problemShape, json);
  if (problem.ok) return { ok: false, problem: problem.value };
  return notUnderstood(url, `it answered ${route.path} with the status ${status} and no problem document`);
}

function notUnderstood(url: string, what: string): Answer<never> {
  const detail = `${url} does not answer like a Stillpoint server of this version: ${what}.`;
  return { ok: false, problem: problemOf({ code: 'REPLY_NOT_UNDERSTOOD', detail }) };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** `fetch` hides the reason in `cause`; several addresses tried make it an AggregateError without a message. */
function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  if (error.name === 'TimeoutError') return 'no answer in time';
  const cause: unknown = error.cause;
  if (cause instanceof AggregateError) return causeOf(cause.errors[0]);
  if (cause instanceof Error) return cause.message === '' ? cause.name : cause.message;
  return error.message;
}
