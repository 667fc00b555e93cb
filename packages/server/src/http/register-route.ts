import {
  apiPrefix,
  type ProblemCode,
  problemCatalogue,
  problemShape,
  type Route,
  type RouteInput,
  type RouteName,
  type RouteReply,
  routes,
} from '@stillpoint/contract';
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import type { Outcome } from '../app/application.ts';
import { sendProblem } from './problem-reply.ts';

/** The shape of a part that must be empty. */
export const nothingShape = z.strictObject({});

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers without a token. */
    isPublic?: boolean;
  }
}

/** Registers a call of the contract's table: its shapes are checked before, and its reply is cut to shape after, the handler. */
export function registerRoute<Name extends RouteName>(
  server: FastifyInstance,
  name: Name,
  handle: (input: RouteInput<Name>) => Promise<Outcome<RouteReply<Name>>>,
): void {
  const route: Route = routes[name];
  const success = route.replies[200] === undefined ? 202 : 200;
  server.route({
    method: route.method,
    url: apiPrefix + route.path.replace(/\{(\w+)\}/g, ':$1'),
    config: { isPublic: route.isPublic === true },
    ...(route.bodyLimitBytes === undefined ? {} : { bodyLimit: route.bodyLimitBytes }),
    schema: {
      operationId: name,
      summary: route.summary,
      tags: [route.noun],
      security: route.isPublic === true ? [] : [{ bearerToken: [] }],
      params: route.params ?? nothingShape,
      querystring: route.query ?? nothingShape,
      ...(route.method === 'GET' ? {} : { body: route.body ?? nothingShape }),
      response: {
        [success]: {
          description: 'Done',
          content: { 'application/json': { schema: route.replies[success] } },
        },
        ...problemResponses(route),
      },
    },
    preValidation: async (request) => {
      // A call that needs to say nothing may be made without a body.
      if (route.method !== 'GET' && request.body === undefined) request.body = {};
    },
    handler: async (request, reply) => {
      const outcome = await handle({
        params: request.params,
        query: request.query,
        body: request.body,
      } as unknown as RouteInput<Name>);
      return outcome.ok ? reply.code(success).send(outcome.value) : sendProblem(reply, outcome.problem);
    },
  });
}

function problemResponses(route: Route): Record<number, unknown> {
  const codes: ProblemCode[] = [...route.problems, 'REQUEST_NOT_VALID', 'INTERNAL_ERROR', 'SERVER_NOT_READY'];
  if (route.isPublic !== true) codes.push('NOT_AUTHORISED');
  if (route.method !== 'GET') codes.push('BODY_NOT_READABLE', 'BODY_TOO_LARGE', 'CONTENT_TYPE_NOT_SUPPORTED');
  const byStatus = Map.groupBy(codes, (code) => problemCatalogue[code].httpStatus);
  return Object.fromEntries(
    [...byStatus].map(([status, these]) => [
      status,
      { description: these.join(', '), content: { 'application/problem+json': { schema: problemShape } } },
    ]),
  );
}
