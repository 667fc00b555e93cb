/** The environment without what would lead our programs to another server, database or data directory than the demo's. */
export function ownEnvironment(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const isForeign = (name: string): boolean => name === 'DATABASE_URL' || /^(STILLPOINT_|PG)/.test(name);
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !isForeign(name)));
}
