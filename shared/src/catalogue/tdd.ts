/** Test-driven work on a task: phases, results, coverage. */
import { Type } from 'typebox'
import { fact } from './fact.js'
import { Count, Id, maybe, Percent, TddPhase, Text } from './scalars.js'

const TestCounts = Type.Object({ total: maybe(Count), passing: maybe(Count), failing: maybe(Count) }, { title: '{ total?, passing?, failing? }' })
const coverage = { lines: maybe(Percent), branches: maybe(Percent), functions: maybe(Percent) }
const Failed = Type.Object({ name: Text, message: maybe(Text) })

export const TDD_FACTS = {
  'tdd.phase_changed': fact('A task moved between red, green and refactor.', ['agent:{agentId}', 'task:{taskId}'], Type.Object({
    taskId: Id, currentPhase: TddPhase, previousPhase: maybe(TddPhase), agentId: maybe(Id), testResults: maybe(TestCounts),
    coverage: maybe(Type.Object(coverage, { title: '{ lines?, branches?, functions? } 0..100' })),
  })),
  'tdd.test_result': fact('A test run ended.', ['task:{taskId}', 'agent:{agentId}'], Type.Object({
    taskId: Id, passing: Count, failing: Count, total: maybe(Count), agentId: maybe(Id), duration: maybe(Type.Number({ title: 'number ms', minimum: 0 })),
    failures: maybe(Type.Array(Failed, { title: '{ name, message? }[]' })),
  })),
  'tdd.coverage_updated': fact('Coverage of a task\'s code.', ['task:{taskId}'], Type.Object({ taskId: Id, ...coverage })),
}
