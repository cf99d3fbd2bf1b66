/** A Dockerfile, read as far as its tests need it: its stages, and what stands behind each word. */

export interface Stage {
  /** Arguments of each such instruction, continued lines joined. */
  of(instruction: string): string[]
}

export function recipe(text: string): Stage[] {
  const lines = text.replaceAll(/^\s*#.*\n/gm, '').replaceAll(/\\\n/g, ' ').split('\n')
  const stages: [word: string, rest: string][][] = []
  for (const line of lines) {
    const [, word, rest] = /^([A-Z]+)\s+(.*)$/.exec(line.trim()) ?? []
    if (word === undefined || rest === undefined) continue
    if (word === 'FROM') stages.push([])
    stages.at(-1)?.push([word, rest])
  }
  return stages.map((stage) => ({ of: (instruction) => stage.filter(([word]) => word === instruction).map(([, rest]) => rest) }))
}
