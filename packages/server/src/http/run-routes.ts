import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { listOutcome } from './list-outcome.ts';
import { registerRoute } from './register-route.ts';

/** Calls about runs. */
export function runRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listRuns', ({ query }) => application.listRuns(query));
  registerRoute(server, 'getRun', ({ params }) => application.getRun(params.id));
  registerRoute(server, 'listTasks', ({ params, query }) => application.listTasks(params.id, query));
  registerRoute(server, 'listRunScripts', async ({ params }) =>
    listOutcome(await application.listRunScripts(params.id)),
  );
  registerRoute(server, 'cancelRun', ({ params }) => application.cancelRun(params.id));
  registerRoute(server, 'rerunRun', ({ params, body }) => application.rerunRun(params.id, body));
}
