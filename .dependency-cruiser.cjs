// Who may import whom. Each rule says why; tests/gates plants a violation of each and sees it fail.
// Run by tools/check/check-boundaries.ts, which also makes sure that every source file was read.

const testFile = '\\.test\\.ts$';
const whoMayPretend = ['^packages/simulator/', '^tests/', '^bench/', '^tools/', testFile];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-circle',
      comment: 'Files that import each other can only be understood, tested and changed together.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolved',
      comment: 'An import that resolves to nothing is an import no rule was applied to.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'stones-import-none-of-ours',
      comment:
        'A ground stone can be read, tested and replaced without knowing any other; they meet in server.',
      severity: 'error',
      from: { path: '^packages/(core|datapower|simulator|store|engine|database|contract)/' },
      to: { path: '^packages/', pathNot: '^packages/$1/' },
    },
    {
      name: 'cli-and-web-import-only-contract',
      comment: 'They are clients like any other: what they can do, the REST API can do.',
      severity: 'error',
      from: { path: '^packages/(cli|web)/' },
      to: { path: '^packages/', pathNot: '^packages/($1|contract)/' },
    },
    {
      name: 'server-imports-no-client-and-no-pretence',
      comment: 'The server serves without its clients, and a pretend fleet has no place in production.',
      severity: 'error',
      from: { path: '^packages/server/', pathNot: testFile },
      to: { path: '^packages/(cli|web|simulator)/' },
    },
    {
      name: 'simulator-only-in-tests-and-demo',
      comment: 'Only tests, benchmarks and the demo may believe in a fleet that is not there.',
      severity: 'error',
      from: { pathNot: whoMayPretend },
      to: { path: '^packages/simulator/' },
    },
    {
      name: 'only-the-face-of-a-package',
      comment: 'src/index.ts is what a package promises; everything behind it may change at any time.',
      severity: 'error',
      from: { path: '^(?:packages/([^/]+)|tests|tools|bench)/' },
      to: {
        path: '^packages/',
        pathNot: ['^packages/$1/', '^packages/[^/]+/src/index\\.ts$', '^packages/.*/testing/'],
      },
    },
    {
      name: 'doubles-only-in-tests',
      comment: 'Doubles and test files are not part of what runs at an operator.',
      severity: 'error',
      from: { pathNot: ['^tests/', '^bench/', '^tools/', testFile, '^packages/.*/testing/'] },
      to: { path: [testFile, '^packages/.*/testing/', '^tests/'] },
    },
    {
      name: 'core-is-pure',
      comment:
        'Core decides; it has no clock, network, file or chance, so every state of it can be walked in a test.',
      severity: 'error',
      from: { path: '^packages/core/', pathNot: [testFile, '^packages/.*/testing/'] },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'core-needs-only-calendars',
      comment:
        'Time zones and the words for a schedule are hard enough to borrow; anything else in core is ours.',
      severity: 'error',
      from: { path: '^packages/core/', pathNot: [testFile, '^packages/.*/testing/'] },
      to: { path: 'node_modules/', pathNot: 'node_modules/(@js-temporal/polyfill|jsbi|cronstrue)/' },
    },
    {
      name: 'contract-runs-in-a-browser',
      comment: 'The web pages use the same routes, shapes and client as the command.',
      severity: 'error',
      from: { path: '^packages/contract/', pathNot: testFile },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'wire-is-pure',
      comment:
        'Writing a request and judging a reply need no socket: transport.ts is the only place that has one.',
      severity: 'error',
      from: { path: '^packages/datapower/src/wire/', pathNot: testFile },
      to: {
        path: ['^(net|tls|https?|http2|dns|fs|child_process|worker_threads)(/|$)', 'node_modules/undici/'],
      },
    },
    {
      name: 'app-sees-only-core',
      comment:
        'A use case speaks to the world through ports; with a stone in its hands it could not be tested without one.',
      severity: 'error',
      from: { path: '^packages/server/src/app/', pathNot: testFile },
      to: { path: '^packages/', pathNot: ['^packages/(core|contract)/', '^packages/server/src/app/'] },
    },
    {
      name: 'http-sees-only-app',
      comment: 'A route translates between HTTP and a use case; it decides nothing and touches nothing.',
      severity: 'error',
      from: { path: '^packages/server/src/http/', pathNot: testFile },
      to: { path: '^packages/', pathNot: ['^packages/contract/', '^packages/server/src/(app|http)/'] },
    },
    {
      name: 'adapters-know-no-route',
      comment: 'A port made real serves every caller, not only HTTP.',
      severity: 'error',
      from: { path: '^packages/server/src/adapters/', pathNot: testFile },
      to: { path: '^packages/server/src/', pathNot: '^packages/server/src/(app|adapters|movers|programs)/' },
    },
    {
      name: 'programs-see-only-ports',
      comment:
        'What drives runs and tasks is the same over PostgreSQL and over doubles in a simulation, so it knows neither.',
      severity: 'error',
      from: { path: '^packages/server/src/programs/', pathNot: testFile },
      to: {
        path: '^packages/',
        pathNot: ['^packages/(core|engine|datapower|store)/', '^packages/server/src/(app|programs|movers)/'],
      },
    },
    {
      name: 'programs-know-the-world-by-type',
      comment:
        'A program says what it wants of devices, movers and store; who does it is given to it. Only the words of who may not act are the same everywhere.',
      severity: 'error',
      from: { path: '^packages/server/src/programs/', pathNot: testFile },
      to: {
        path: ['^packages/(datapower|store)/', '^packages/server/src/movers/'],
        pathNot: '^packages/server/src/movers/may-not-act\\.ts$',
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'programs-run-in-any-time',
      comment:
        'Timers, chance and libraries of others are not virtual; time and identifiers are given to a program.',
      severity: 'error',
      from: { path: '^packages/server/src/programs/', pathNot: testFile },
      to: { pathNot: '^packages/' },
    },
    {
      name: 'movers-move-and-nothing-else',
      comment:
        'A mover may hang on a dead mount and be abandoned at any time; it must hold nothing but its download.',
      severity: 'error',
      from: { path: '^packages/server/src/movers/', pathNot: testFile },
      to: { path: '^packages/', pathNot: ['^packages/(store|datapower)/', '^packages/server/src/movers/'] },
    },
    {
      name: 'only-movers-touch-the-store',
      comment:
        'A file call on a hung mount blocks its process; in the server that would block unquiesce (types are free).',
      severity: 'error',
      from: {
        path: '^packages/server/src/',
        pathNot: ['^packages/server/src/(movers/|start-server\\.ts)', testFile],
      },
      to: { path: '^packages/store/', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nobody-imports-main',
      comment: 'main.ts runs when it is loaded: it is started, never imported.',
      severity: 'error',
      from: {},
      to: { path: '^packages/[^/]+/src/main\\.ts$' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.d.ts', '.json'],
    },
  },
};
