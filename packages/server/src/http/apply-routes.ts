import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { registerRoute } from './register-route.ts';

/** The call that takes a whole document. */
export function applyRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'applyDocument', ({ query, body }) =>
    application.applyDocument(body, { dryRun: query.dryRun === 'true' }),
  );
}
