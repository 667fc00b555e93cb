import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { listOutcome } from './list-outcome.ts';
import { registerRoute } from './register-route.ts';

/** Calls about system parameters. */
export function parameterRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listParameters', async () => listOutcome(await application.listParameters()));
  registerRoute(server, 'listChangedParameters', ({ query }) => application.listChangedParameters(query));
  registerRoute(server, 'getParameter', ({ params }) => application.getParameter(params.name));
  registerRoute(server, 'setParameter', ({ params, body }) =>
    application.setParameter(params.name, body.value),
  );
}
