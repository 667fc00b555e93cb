import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { registerRoute } from './register-route.ts';

/** Calls about what is wrong and wants a human. */
export function alarmRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listAlarms', ({ query }) => application.listAlarms(query));
  registerRoute(server, 'acknowledgeAlarm', ({ params, body }) =>
    application.acknowledgeAlarm(params.id, body),
  );
}
