import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { listOutcome } from './list-outcome.ts';
import { registerRoute } from './register-route.ts';

/** Calls about plans. */
export function planRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listPlans', async () => listOutcome(await application.listPlans()));
  registerRoute(server, 'getPlan', ({ params }) => application.getPlan(params.name));
  registerRoute(server, 'previewPlan', ({ params }) => application.previewPlan(params.name));
  registerRoute(server, 'previewDefinition', ({ body }) => application.previewDefinition(body));
  registerRoute(server, 'getPlanCalendar', ({ query }) => application.getPlanCalendar(query));
  registerRoute(server, 'runPlan', ({ params, body }) => application.runPlan(params.name, body));
}
