import { randomUUID } from 'node:crypto';
import { parseShape } from '@stillpoint/contract';
import Fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify';
import { serializerCompiler } from 'fastify-type-provider-zod';
import type { z } from 'zod';
import type { Application } from '../app/application.ts';
import { alarmRoutes } from './alarm-routes.ts';
import { applyRoutes } from './apply-routes.ts';
import { backupRoutes } from './backup-routes.ts';
import { bearerToken } from './bearer-token.ts';
import { deviceRoutes } from './device-routes.ts';
import { guardRoutes } from './guard-routes.ts';
import { healthRoutes } from './health-routes.ts';
import { nodeRoutes } from './node-routes.ts';
import { noticeRoutes } from './notice-routes.ts';
import { openApi } from './open-api.ts';
import { parameterRoutes } from './parameter-routes.ts';
import { planRoutes } from './plan-routes.ts';
import { pathOf, sendProblem, sendThrown } from './problem-reply.ts';
import { runRoutes } from './run-routes.ts';
import { scriptRoutes } from './script-routes.ts';
import { securityHeaders } from './security-headers.ts';
import { ShapeRefused } from './shape-refused.ts';
import { storeRoutes } from './store-routes.ts';
import { taskRoutes } from './task-routes.ts';
import { unkeepableTexts } from './unkeepable-texts.ts';
import { unreadableRequest } from './unreadable-request.ts';

/** What the HTTP server is told besides the application. */
export interface HttpServerOptions {
  /** The bearer token of every call but `GET /health`. */
  readonly token: string;
  readonly logger: FastifyBaseLogger;
  /** Version that is told by `/health` and the OpenAPI document. */
  readonly version: string;
}

const bodyLimitBytes = 64 * 1024;

/** The REST API over an application; it does not listen yet. */
export function createHttpServer(application: Application, options: HttpServerOptions): FastifyInstance {
  const server: FastifyInstance = Fastify({
    loggerInstance: options.logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: bodyLimitBytes,
    // Time to receive a request, not to answer it.
    requestTimeout: 60_000,
    // Names of 128 characters, percent-encoded.
    routerOptions: { maxParamLength: 2048 },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    onProtoPoisoning: 'error',
    onConstructorPoisoning: 'error',
    genReqId: () => randomUUID(),
    frameworkErrors: (error, request, reply) => {
      reply.headers(securityHeaders);
      sendThrown(error, request, reply);
    },
    clientErrorHandler: unreadableRequest,
  });
  server.removeContentTypeParser('text/plain');
  server.setSerializerCompiler(serializerCompiler);
  server.setValidatorCompiler<z.ZodType>(({ schema }) => (input) => {
    const outcome = parseShape(schema, input);
    const errors = outcome.ok ? unkeepableTexts(outcome.value) : outcome.errors;
    return outcome.ok && errors.length === 0 ? { value: outcome.value } : { error: new ShapeRefused(errors) };
  });
  server.setErrorHandler(sendThrown);
  server.setNotFoundHandler((request, reply) =>
    sendProblem(reply, {
      code: 'ROUTE_NOT_FOUND',
      detail: `There is no ${request.method} ${pathOf(request)}.`,
    }),
  );
  guardEveryRequest(server, options.token);
  logEveryRequest(server);
  openApi(server, options.version);
  server.register(async (scope) => {
    healthRoutes(scope, options.version);
    deviceRoutes(scope, application);
    planRoutes(scope, application);
    runRoutes(scope, application);
    taskRoutes(scope, application);
    backupRoutes(scope, application);
    parameterRoutes(scope, application);
    applyRoutes(scope, application);
    storeRoutes(scope, application);
    scriptRoutes(scope, application);
    guardRoutes(scope, application);
    nodeRoutes(scope, application);
    alarmRoutes(scope, application);
    noticeRoutes(scope, application);
  });
  return server;
}

/** Runs before the body is read, also for paths that do not exist, so that a stranger learns nothing. */
function guardEveryRequest(server: FastifyInstance, token: string): void {
  const carriesToken = bearerToken(token);
  let isClosing = false;
  server.addHook('preClose', async () => {
    isClosing = true;
  });
  server.addHook('onRequest', async (request, reply) => {
    reply.headers(securityHeaders);
    if (request.routeOptions.config.isPublic !== true && !carriesToken(request.headers.authorization)) {
      const call = `${request.method} ${pathOf(request)}`;
      const detail =
        request.headers.authorization === undefined
          ? `${call} needs the header "Authorization: Bearer TOKEN".`
          : `The token that ${call} was sent with is not the one of this server.`;
      return sendProblem(reply, { code: 'NOT_AUTHORISED', detail });
    }
    if (isClosing) return sendProblem(reply, { code: 'SERVER_NOT_READY', detail: 'The server is stopping.' });
  });
}

function logEveryRequest(server: FastifyInstance): void {
  server.addHook('onResponse', async (request, reply) => {
    const facts = {
      method: request.method,
      path: pathOf(request),
      status: reply.statusCode,
      durationMs: Math.round(reply.elapsedTime),
    };
    if (request.method === 'GET') request.log.debug(facts, 'answered');
    else request.log.info(facts, 'answered');
  });
}
