import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { registerRoute } from './register-route.ts';

/** Calls about scripts. */
export function scriptRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listScripts', () => application.listScripts());
  registerRoute(server, 'testScript', ({ params, body }) => application.testScript(params.name, body));
}
