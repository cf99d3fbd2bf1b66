import { autosdlc } from './drivers/autosdlc.js'
import { longpoll } from './drivers/longpoll.js'
import { pythonProgram } from './drivers/python-program.js'
import { PythonDriver } from './drivers/python.js'
import { socketio } from './drivers/socketio.js'
import { sse } from './drivers/sse.js'
import { typescript } from './drivers/typescript.js'
import { websocket } from './drivers/websocket.js'
import type { Driver } from './gateway.js'

/** All ways in and out; that of Python where there is one, which a table without its column shows. */
export function allDrivers(): Driver[] {
  const python = pythonProgram()
  if (python === undefined) process.stdout.write('the Python SDK is left out: no environment with its package (npm test makes one where it can)\n')
  return [socketio('websocket'), socketio('polling'), websocket, autosdlc, sse, longpoll, typescript, ...(python === undefined ? [] : [new PythonDriver(python)])]
}
