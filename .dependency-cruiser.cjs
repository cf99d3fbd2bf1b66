/**
 * Folders are floors: an import goes down or stays on its floor, types included. A floor's list names what lies below.
 * The stages do not know each other; `hub.ts` hands each the next.
 */
const SERVER = '^server/src/'
const STAGES = ['intake', 'processor', 'fanout']
const FLOORS = [
  ['settings', 'version'],
  ['observe'],
  ['store'],
  ['access'],
  STAGES,
  ['operations'],
  ['gateway'],
  ['hub'],
  ['cli', 'index'],
]

/** `hub.ts` and `index.ts` are files, the others folders (a floor may grow from one into the other). */
const path = (name) => `${SERVER}${name}(/|\\.ts$)`
const anyOf = (names) => names.map(path)

const upward = FLOORS.slice(0, -1).map((floor, level) => ({
  name: `floor-${floor.join('-')}`,
  comment: `${floor.join(', ')} may not import from a floor above`,
  severity: 'error',
  from: { path: anyOf(floor) },
  to: { path: anyOf(FLOORS.slice(level + 1).flat()) },
}))

const stages = STAGES.map((stage) => ({
  name: `stage-${stage}`,
  comment: 'stages do not import each other: declare the few methods that are needed',
  severity: 'error',
  from: { path: path(stage) },
  to: { path: anyOf(STAGES.filter((other) => other !== stage)) },
}))

module.exports = {
  forbidden: [
    ...upward,
    ...stages,
    { name: 'named-floor', comment: 'a new folder of the server needs a floor in .dependency-cruiser.cjs', severity: 'error', from: { path: SERVER, pathNot: anyOf(FLOORS.flat()) }, to: {} },
    { name: 'ground-shared', comment: 'the vocabulary imports nothing of ours', severity: 'error', from: { path: '^shared/src/' }, to: { path: '^(server|client-sdk|test)/' } },
    { name: 'client-apart', comment: 'the SDK knows the vocabulary only', severity: 'error', from: { path: '^client-sdk/' }, to: { path: '^(server|test)/' } },
    { name: 'client-anywhere', comment: 'the SDK runs in browsers', severity: 'error', from: { path: '^client-sdk/(typescript|react)/src/' }, to: { dependencyTypes: ['core'] } },
    { name: 'client-below-react', comment: 'the SDK stands without React', severity: 'error', from: { path: '^(shared|client-sdk/typescript)/' }, to: { path: '^client-sdk/react/' } },
    { name: 'vocabulary-anywhere', comment: 'the vocabulary runs in browsers', severity: 'error', from: { path: '^shared/src/' }, to: { dependencyTypes: ['core'] } },
    { name: 'client-in-cli', comment: 'inside the server only the command line is a client', severity: 'error', from: { path: SERVER, pathNot: path('cli') }, to: { path: '^client-sdk/' } },
    { name: 'dashboard-as-anybody', comment: 'the dashboard may use nothing that a user\'s own page could not: the SDK and the hooks', severity: 'error', from: { path: '^dashboard/src/' }, to: { path: '^(server|shared|test|client-sdk/(typescript|react)/src/(?!index\\.ts))' } },
    { name: 'dashboard-views-apart', comment: 'views do not know each other; what two need is a part', severity: 'error', from: { path: '^dashboard/src/views/([^/]+)/' }, to: { path: '^dashboard/src/views/', pathNot: '^dashboard/src/views/$1/' } },
    { name: 'dashboard-parts-below', comment: 'parts know no views, no shell, no session', severity: 'error', from: { path: '^dashboard/src/parts/' }, to: { path: '^dashboard/src/(views|shell|session|app)' } },
    { name: 'no-test-in-source', comment: 'sources do not import tests', severity: 'error', from: { pathNot: '^test/' }, to: { path: '^test/' } },
    { name: 'no-circular', comment: 'type imports counted', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', comment: 'an import that leads nowhere', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    // The compiler of this TypeScript has no JavaScript API; with the default parser the cruiser would see nothing.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  },
}
