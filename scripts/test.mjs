/**
 * `npm test`: sets the clone up where needed, a redis-server and a Chromium included, then jest with the same arguments; without paths, or with
 * that of the Python package, its tests, too.
 */
import { run } from './step.mjs'
import { balancerPrograms } from './balancers.mjs'
import { chromiumProgram } from './chromium.mjs'
import { faketimeLibrary } from './faketime.mjs'
import { kubernetesTools } from './kubernetes.mjs'
import { promtoolProgram } from './promtool.mjs'
import { PYTHON_PACKAGE, pythonProgram, testPython } from './python.mjs'
import { redisFolder } from './redis-server.mjs'
import { build, install } from './setup.mjs'

const asked = process.argv.slice(2)
const pythonPaths = asked.filter((arg) => arg.replace(/^\.\//, '').startsWith(PYTHON_PACKAGE))
const forJest = asked.filter((arg) => !pythonPaths.includes(arg))
const isEverything = asked.every((arg) => arg.startsWith('-'))
const withPytest = isEverything || pythonPaths.length > 0
// The suite over all gateways plays the Python client, too.
const withPython = withPytest || forJest.some((path) => /conformance|gateways/.test(path))
const withKubernetes = isEverything || forJest.some((path) => /k8s/.test(path))
const withFaketime = isEverything || forJest.some((path) => /faults/.test(path))
const withBalancers = isEverything || forJest.some((path) => /balancers/.test(path))
const withPromtool = isEverything || forJest.some((path) => /monitoring/.test(path))
const withJest = isEverything || forJest.some((arg) => !arg.startsWith('-'))

const redis = await redisFolder()
const chromium = withJest ? await chromiumProgram() : ''
const balancers = withBalancers ? await balancerPrograms() : {}
await install()
await build()
const python = withPython || withKubernetes ? await pythonProgram() : undefined
// After the installation, which would throw it away.
const faketime = withFaketime ? await faketimeLibrary() : undefined
const promtool = withPromtool ? await promtoolProgram() : undefined
const kubernetes = withKubernetes ? await kubernetesTools(python) : {}
const env = {
  // jest runs ES modules through the VM; Node warns of it once in every worker.
  NODE_OPTIONS: `${process.env.NODE_OPTIONS ?? ''} --experimental-vm-modules --disable-warning=ExperimentalWarning`.trim(),
  CHROMIUM: chromium,
  ...(python && { HUBBUB_PYTHON: python }),
  ...(faketime && { HUBBUB_FAKETIME: faketime }),
  ...(promtool && { PROMTOOL: promtool }),
  ...kubernetes,
  ...balancers,
  PATH: `${process.env.PATH}:${redis}`,
}
const jest = withJest ? await run(['node_modules/jest/bin/jest.js', ...forJest], { env }) : 0
const pytest = withPytest && python ? await testPython(env, isEverything ? [PYTHON_PACKAGE] : pythonPaths) : undefined
// Asked for by name, what cannot be run is no success.
process.exit(jest || (pytest ?? (withJest ? 0 : 1)))
