/** What agents say: log lines, and the conversations of their runs. */

export const STEPS = {
  plan: ['reading what was asked for', 'cutting it into tasks', 'estimating', 'putting them in order'],
  write: ['reading the code', 'writing the draft', 'trying every example', 'shortening'],
  deploy: ['pulling the images', 'applying the manifests', 'waiting for readiness', 'watching the error rate'],
  test: ['starting the containers', 'running', 'running again what failed', 'putting the report together'],
  review: ['reading the change', 'looking for what is missing', 'trying it', 'writing it down'],
}

export const OUTPUTS = {
  plan: ['9 tasks, 2 lanes, critical path 38 min'],
  write: ['vale: 0 errors, 2 warnings, 0 suggestions', '14 of 14 examples ran'],
  deploy: ['deployment.apps/checkout configured', 'deployment "checkout" successfully rolled out', 'error rate 0.02 %, p95 141 ms'],
  test: ['Test Suites: 41 passed, 41 total', 'Tests: 612 passed, 612 total', 'Time: 148.2 s'],
  review: ['12 files, +418 -96', '3 remarks, none of them blocking'],
}

/**
 * `asked` by a person, thought, answered with a tool's help. `state` is what the run keeps, and how it changes.
 * @typedef {object} Conversation
 * @property {string} asked
 * @property {string} thought
 * @property {string} first
 * @property {{ name: string, args: Record<string, unknown>, result: string }} tool
 * @property {string} last
 * @property {string} focus
 */

/** By type of task. @type {Readonly<Record<string, readonly Conversation[]>>} */
export const CONVERSATIONS = {
  plan: [{
    asked: 'Plan the next release. Payments have to be in it; gift cards if there is time.',
    thought: 'Payments block the sandbox tests, so that lane has to begin first. Gift cards touch the cart only and can be dropped without a trace.',
    first: 'I will look at what is open in the milestone and at how long the last releases took before I promise anything.',
    tool: { name: 'list_issues', args: { repository: 'acme/checkout-service', milestone: 'next', state: 'open' }, result: '{"open":11,"estimated":9,"blocked":1}' },
    last: 'Eleven issues are open, nine of them estimated. I suggest two lanes, cart and payments, which meet at the review. Payments go first, because the bank\'s sandbox is slow in the afternoon. Gift cards come last and may be dropped.',
    focus: 'critical path',
  }],
  code: [
    {
      asked: 'Make the failing test pass without touching the public interface.',
      thought: 'The rounding happens twice: once a line and once for the sum. If the line keeps its exact value until the end, the sum is right.',
      first: 'The test is right and the code rounds too early. Let me see who else depends on the rounded value.',
      tool: { name: 'search_code', args: { pattern: 'roundHalfEven(', path: 'src/' }, result: '{"hits":4,"files":["src/cart/total.ts","src/cart/line.ts","src/tax/line.ts"]}' },
      last: 'Four places call it, three of them through the total. I moved the rounding to the edge, where money is shown, and kept exact amounts inside. All tests of the cart pass; one of the tax module needed a new expectation, and I say so in the pull request.',
      focus: 'src/cart/total.ts',
    },
    {
      asked: 'A charge was made twice last week. Can your change do that?',
      thought: 'The idempotency key is made for each attempt. It has to be made for each order, or a retry is a new charge.',
      first: 'It could have: the key was new with each attempt. I am checking what the provider does with a repeated key.',
      tool: { name: 'read_document', args: { url: 'https://provider.example/docs/idempotency' }, result: '{"window":"24h","replay":"same response","conflict":409}' },
      last: 'A repeated key is answered with the first response for a day, which is longer than we retry. The key is now made from the order and the amount, before the first attempt. I added a test that kills the process between the charge and the answer.',
      focus: 'src/payments/charge.ts',
    },
  ],
  test: [{
    asked: 'Why is this suite slower than yesterday?',
    thought: 'The time is spent before the first test. Either the image is bigger or the database starts cold.',
    first: 'The tests themselves take as long as ever. I am comparing how long the containers took to start.',
    tool: { name: 'compare_runs', args: { suite: 'contract', runs: 2 }, result: '{"setup":{"yesterday":21,"today":58},"tests":{"yesterday":96,"today":97}}' },
    last: 'Setting up takes 58 seconds in place of 21: the database image lost its seeded volume and loads the fixtures each time. I restored the volume and opened an issue for the image.',
    focus: 'setup time',
  }],
  review: [{
    asked: 'Is this safe to ship?',
    thought: 'The happy path is well tested. What happens when the provider answers after we gave up?',
    first: 'The change reads well. One path is not tested: an answer that comes after the last retry. Let me try it.',
    tool: { name: 'run_scenario', args: { name: 'late-answer', delaySeconds: 65 }, result: '{"charged":1,"orders":1,"state":"paid"}' },
    last: 'The late answer is matched to its order and nothing is charged twice. I would like a comment where the order waits for it, and a metric for how often that happens. Neither holds it up: approved.',
    focus: 'late answers',
  }],
  deploy: [{
    asked: 'Go ahead, but stop if the error rate moves.',
    thought: 'Ten percent of the traffic for two minutes is enough to see a tenth of a percent.',
    first: 'Ten percent of the traffic goes to the new version now. I am watching errors and the 95th percentile.',
    tool: { name: 'query_metrics', args: { query: 'error_rate{service="checkout"}', range: '2m' }, result: '{"old":0.0002,"new":0.0002,"p95":[139,141]}' },
    last: 'Both versions fail equally seldom, two in ten thousand, and the new one is not slower. All traffic goes to it now. The old one stays for half an hour, so that going back takes seconds.',
    focus: 'error rate',
  }],
  write: [{
    asked: 'Write it for somebody who has ten minutes.',
    thought: 'They want a payment to go through, then to know what can go wrong. Everything else can be a link.',
    first: 'I begin with the shortest program that takes a payment, and I run it before I write about it.',
    tool: { name: 'run_example', args: { file: 'examples/quickstart.ts' }, result: '{"exit":0,"seconds":3.4}' },
    last: 'It runs in three and a half seconds, account included. The page has four parts: take a payment, hear of it by webhook, give it back, and what the errors mean. Each example on it was run today.',
    focus: 'quickstart',
  }],
}

/** What goes on around the work. */
export const ISSUES = [
  'Checkout button jumps on small screens', 'Currency of the cart is lost after signing in', 'Refund mail has yesterday\'s rate',
  'Order history is slow for shops with many orders', 'Typo in the confirmation page', 'Webhook docs miss the retry schedule',
]
