import { expect, test } from 'vitest';
import { problemCatalogue } from './problem-catalogue.ts';
import type { Route } from './route.ts';
import { routes } from './routes.ts';

const table = Object.entries<Route>(routes);

test('no two calls share method and path', () => {
  const places = table.map(([, { method, path }]) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
  expect(new Set(places).size).toBe(table.length);
});

test.each(table)('%s has the parameters that its path names, and one reply', (_, route) => {
  const named = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  expect(Object.keys(route.params?.shape ?? {})).toEqual(named);
  expect(Object.keys(route.replies)).toHaveLength(1);
  for (const code of route.problems) expect(problemCatalogue[code].httpStatus).toBeGreaterThan(0);
  if (route.method === 'GET') expect(route.body).toBeUndefined();
});

test.each(table)('%s refuses unknown keys in each of its parts', (_, { params, query, body }) => {
  for (const shape of [params, query, body]) {
    const issues = shape?.safeParse({ surprise: 1 }).error?.issues ?? [];
    if (shape !== undefined) expect(issues.map(({ code }) => code)).toContain('unrecognized_keys');
  }
});

test('only health is open to everybody', () => {
  expect(table.filter(([, route]) => route.isPublic).map(([name]) => name)).toEqual(['getHealth']);
});
