import { behind } from './suite.js'

describe('behind HAProxy', () => {
  behind('haproxy')
})
