import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { listOutcome } from './list-outcome.ts';
import { registerRoute } from './register-route.ts';

/** Calls about devices. */
export function deviceRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listDevices', async () => listOutcome(await application.listDevices()));
  registerRoute(server, 'testDevice', ({ params }) => application.testDevice(params.name));
}
