import { DEFAULT_DOMAIN, type QuiesceScope } from './task-spec.ts';

/** Those of a device's domains that a quiesce of the scope takes down: of a whole device every one but `default`. */
export function rowsInScope<Row extends { readonly domain: string }>(
  rows: readonly Row[],
  scope: QuiesceScope,
): readonly Row[] {
  return rows.filter(({ domain }) =>
    scope.kind === 'domain' ? domain === scope.domain : domain !== DEFAULT_DOMAIN,
  );
}
