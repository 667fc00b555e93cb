import fastifySwagger from '@fastify/swagger';
import { apiPrefix } from '@stillpoint/contract';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { nothingShape } from './register-route.ts';

/** Describes every route that is registered after it, at `/api/v1/openapi.json`. */
export function openApi(server: FastifyInstance, version: string): void {
  server.register(fastifySwagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Stillpoint',
        version,
        description:
          'Backs up fleets of IBM DataPower gateways. Every problem is `application/problem+json`.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      components: { securitySchemes: { bearerToken: { type: 'http', scheme: 'bearer' } } },
    },
    transform: (document) => {
      const { schema } = document;
      if (schema === undefined) return jsonSchemaTransform(document);
      const said = Object.entries(schema).filter(([, part]) => part !== nothingShape);
      return jsonSchemaTransform({ ...document, schema: Object.fromEntries(said) });
    },
    transformObject: (document) => withoutUnused(jsonSchemaTransformObject(document) as OpenAPIV3_1.Document),
  });
  server.register(async (scope) => {
    scope.get(`${apiPrefix}/openapi.json`, { schema: { hide: true } }, async () => server.swagger());
  });
}

/** The transform writes each shape once as input and once as output; only what is referred to is worth reading. */
function withoutUnused(document: OpenAPIV3_1.Document): OpenAPIV3_1.Document {
  const schemas: Record<string, unknown> = { ...document.components?.schemas };
  const { components, ...rest } = document;
  const used = new Set<string>();
  const waiting: unknown[] = [rest];
  for (let part = waiting.pop(); part !== undefined; part = waiting.pop()) {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/([^"]+)"/g)) {
      if (used.has(name)) continue;
      used.add(name);
      waiting.push(schemas[name] ?? {});
    }
  }
  const kept = Object.fromEntries(Object.entries(schemas).filter(([name]) => used.has(name)));
  return { ...rest, components: { ...components, schemas: kept } } as OpenAPIV3_1.Document;
}
