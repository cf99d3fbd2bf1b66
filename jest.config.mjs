// ESM through swc; packages resolve to their sources, so that a test never runs a stale build.
// Tests that start real processes (`test/harness/hub.ts`) run the build, which `npm test` makes first.
export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts', '**/*.test.tsx'],
  extensionsToTreatAsEsm: ['.ts', '.tsx'],
  transform: {
    '^.+\\.ts$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript' } }, module: { type: 'es6' }, sourceMaps: 'inline' }],
    '^.+\\.tsx$': ['@swc/jest', { jsc: { target: 'es2022', parser: { syntax: 'typescript', tsx: true }, transform: { react: { runtime: 'automatic' } } }, module: { type: 'es6' }, sourceMaps: 'inline' }],
  },
  moduleNameMapper: {
    '^@hubbub/protocol$': '<rootDir>/shared/src/index.ts',
    '^@hubbub/protocol/(.*)$': '<rootDir>/shared/src/$1/index.ts',
    '^@hubbub/server$': '<rootDir>/server/src/index.ts',
    '^@hubbub/client$': '<rootDir>/client-sdk/typescript/src/index.ts',
    '^@hubbub/react$': '<rootDir>/client-sdk/react/src/index.ts',
    '^@hubbub/client/testing$': '<rootDir>/client-sdk/typescript/src/testing.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testTimeout: 30_000,
  maxWorkers: 2,
}
