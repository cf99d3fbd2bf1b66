import { STEPS, step, TOP, type Ladder, type LadderInput } from '../../client-sdk/typescript/src/ladder.js'

const INPUTS: LadderInput[] = ['opened', 'failed', 'refused', 'dropped', 'climb', 'climbed', 'missed']
const at = (changes: Partial<Ladder> = {}): Ladder => ({ ...TOP, ...changes })
const after = (ladder: Ladder, ...inputs: LadderInput[]): Ladder => inputs.reduce((now, input) => step(now, input, 3), ladder)

describe('the ladder of ways to the hub', () => {
  it('has a step for every input in every phase', () => {
    for (const phase of ['trying', 'standing', 'climbing'] as const) expect(Object.keys(STEPS[phase]).sort()).toEqual([...INPUTS].sort())
  })

  it('tries each rung three times, the best one first', () => {
    const tried: number[] = []
    for (let ladder = TOP; ladder.round === 0; ladder = after(ladder, 'failed')) tried.push(ladder.rung)
    expect(tried).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2])
  })

  it('tries each rung once, from the top, when nothing answers', () => {
    const tried: number[] = []
    for (let ladder = at({ round: 1 }); ladder.round < 3; ladder = after(ladder, 'failed')) tried.push(ladder.rung)
    expect(tried).toEqual([0, 1, 2, 0, 1, 2])
  })

  it('stays on a rung where the hub answers, even if it refuses', () => {
    expect(after(at({ rung: 1, tries: 2 }), 'refused', 'failed')).toMatchObject({ phase: 'trying', rung: 1, tries: 1 })
  })

  it('comes back to the rung whose connection was lost, with all its tries', () => {
    expect(after(at({ rung: 1, tries: 2, round: 4 }), 'opened', 'dropped')).toMatchObject({ phase: 'trying', rung: 1, tries: 0, round: 0 })
  })

  it('counts connections that do not live as failures', () => {
    expect(after(TOP, 'opened', 'failed', 'opened', 'failed', 'opened', 'failed')).toMatchObject({ phase: 'trying', rung: 1 })
  })

  it('climbs to the best that opens, and stays where it is when none does', () => {
    const standing = at({ phase: 'standing', rung: 2, tries: 2, round: 1 })
    expect(after(standing, 'climb')).toMatchObject({ phase: 'climbing', rung: 2, target: 0 })
    expect(after(standing, 'climb', 'climbed')).toEqual({ phase: 'standing', rung: 0, target: 0, tries: 0, round: 0 })
    expect(after(standing, 'climb', 'missed')).toMatchObject({ phase: 'climbing', rung: 2, target: 1 })
    expect(after(standing, 'climb', 'missed', 'climbed')).toMatchObject({ phase: 'standing', rung: 1 })
    expect(after(standing, 'climb', 'missed', 'missed')).toMatchObject({ phase: 'standing', rung: 2 })
  })

  it('does not climb from the top, nor while it stands nowhere', () => {
    expect(after(at({ phase: 'standing' }), 'climb').phase).toBe('standing')
    expect(after(at({ rung: 2 }), 'climb').phase).toBe('trying')
  })

  it('forgets about climbing when what it stands on is lost', () => {
    expect(after(at({ phase: 'climbing', rung: 2 }), 'dropped', 'missed')).toMatchObject({ phase: 'trying', rung: 2 })
  })
})
