const inherited = ['PATH', 'HOME', 'TMPDIR', 'LANG'];

/** The environment for a process of ours: what any process needs, and nothing that changes where it looks for a server. */
export function cleanEnvironment(own: Readonly<Record<string, string>> = {}): Record<string, string> {
  const pairs = inherited.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value]];
  });
  return { ...Object.fromEntries(pairs), TZ: 'UTC', ...own };
}
