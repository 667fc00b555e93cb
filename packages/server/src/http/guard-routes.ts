import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { listOutcome } from './list-outcome.ts';
import { registerRoute } from './register-route.ts';

/** Calls about what is quiesced by us now. */
export function guardRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listGuards', async () => listOutcome(await application.listGuards()));
  registerRoute(server, 'unquiesceGuard', ({ params, body }) => application.unquiesceGuard(params.id, body));
}
