import type { FastifyInstance } from 'fastify';
import type { Application } from '../app/application.ts';
import { listOutcome } from './list-outcome.ts';
import { registerRoute } from './register-route.ts';

/** Calls about the nodes that share the database. */
export function nodeRoutes(server: FastifyInstance, application: Application): void {
  registerRoute(server, 'listNodes', async () => listOutcome(await application.listNodes()));
  registerRoute(server, 'drainNode', ({ params }) => application.drainNode(params.name));
  registerRoute(server, 'resumeNode', ({ params }) => application.resumeNode(params.name));
}
