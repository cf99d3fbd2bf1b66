import { behind } from './suite.js'

describe('behind nginx', () => {
  behind('nginx')
})
