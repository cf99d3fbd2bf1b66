/** Over real sockets, at every gateway of a hub process at once: it lives, blames nobody but the sender, and a witness hears all that it should (I1, I2, I5). */
import { bombard } from './bombardment.js'
import { Outcomes } from './outcomes.js'
import { SEED } from './seed.js'
import { lay } from './siege.js'

const RUNS = Number(process.env['FUZZ_RUNS'] ?? 1)

test('a hub under random input at all gateways answers each, and loses nothing of what is valid', async () => {
  const siege = await lay()
  const outcomes = new Outcomes()
  await bombard(siege, 4000 * RUNS, SEED, outcomes)
  const witnessed = siege.witnessed()
  expect(await siege.lift()).toEqual([])
  expect(outcomes.findings).toEqual([])
  expect(witnessed).toBeGreaterThan(10)
  expect(outcomes.inputs).toBeGreaterThanOrEqual(4000 * RUNS)
  for (const gateway of ['POST /events', 'GET queries', 'POST /webhooks/github', 'Socket.IO packets', '/ws', '/ws/:project']) expect([gateway, outcomes.of(gateway).get('accepted') ?? 0]).not.toEqual([gateway, 0])
}, 120_000)
