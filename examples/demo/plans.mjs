/**
 * What is to be done: three pipelines. A task is named here as people would; on the hub the hour's tag follows, so that each hour has
 * tasks of its own. `minutes` is how long an agent takes when nothing comes between.
 */

/**
 * @typedef {object} PlannedTask
 * @property {string} name
 * @property {'plan' | 'code' | 'test' | 'review' | 'deploy' | 'write'} type
 * @property {string} title
 * @property {number} stage index of the plan's `stages`
 * @property {number} minutes
 * @property {string[]} requires
 * @property {string[]} [after] names of tasks, or `stream:NAME`
 * @property {string} [stream]
 * @property {number} [priority]
 * @property {string} [branch] on which it is worked; it gets a pull request
 * @property {string[]} [specs] of test-driven work, the first ones first
 * @property {string} [reviews] name of the task whose pull request it looks at
 */

/**
 * @typedef {object} Plan
 * @property {string} name
 * @property {string} title
 * @property {string} repository
 * @property {readonly string[]} stages
 * @property {Readonly<Record<string, string>>} streams
 * @property {readonly PlannedTask[]} tasks
 * @property {string} [own] title of a task that the engine does itself, at the end: then it says itself how the pipeline ended
 */

/** @type {Plan} */
export const RELEASE = {
  name: 'checkout-release',
  title: 'checkout-service release',
  repository: 'acme/checkout-service',
  stages: ['Plan', 'Build', 'Verify', 'Review', 'Ship'],
  streams: { cart: 'Cart and prices', payments: 'Payments' },
  tasks: [
    { name: 'plan-release', type: 'plan', title: 'Plan the release', stage: 0, minutes: 2.5, requires: ['plan'], priority: 10 },
    { name: 'cart-totals', type: 'code', title: 'Cart totals with several currencies', stage: 1, minutes: 11, requires: ['code', 'cart'], after: ['plan-release'], stream: 'cart', priority: 9, branch: 'agents/cart-totals', specs: ['adds items of one currency', 'converts before it adds', 'rounds half to even', 'refuses an unknown currency', 'an empty cart is zero', 'keeps the rate it quoted'] },
    { name: 'payment-retries', type: 'code', title: 'Retry declined payments', stage: 1, minutes: 7, requires: ['code', 'payments'], after: ['plan-release'], stream: 'payments', priority: 8, branch: 'agents/payment-retries', specs: ['retries a soft decline', 'never retries a hard one', 'waits longer each time', 'one charge for one order', 'gives up after five'] },
    { name: 'order-events', type: 'code', title: 'Publish order events', stage: 1, minutes: 10, requires: ['code', 'events'], after: ['plan-release'], stream: 'cart', priority: 7, branch: 'agents/order-events', specs: ['an order placed is told once', 'carries the cart as it was', 'a refund names its order', 'nothing is told of a draft', 'survives a broker that is away'] },
    { name: 'coupon-rules', type: 'code', title: 'Coupons that combine', stage: 1, minutes: 10, requires: ['code', 'pricing'], after: ['plan-release'], stream: 'cart', priority: 6, branch: 'agents/coupon-rules', specs: ['two coupons, the better first', 'never below zero', 'an expired one counts for nothing', 'one of a kind only', 'gift cards come last', 'says which did not apply'] },
    { name: 'three-d-secure', type: 'code', title: '3-D Secure step-up', stage: 1, minutes: 7, requires: ['code', 'payments'], after: ['payment-retries'], stream: 'payments', priority: 5, branch: 'agents/three-d-secure', specs: ['asks when the bank asks', 'goes on where it was', 'times out with a reason', 'a frictionless one is not asked'] },
    { name: 'tax-rounding', type: 'code', title: 'Tax by line, not by cart', stage: 1, minutes: 6, requires: ['code', 'pricing'], after: ['coupon-rules'], stream: 'cart', branch: 'agents/tax-rounding', specs: ['rounds each line', 'the sum is what was shown', 'exempt lines stay exempt'] },
    { name: 'gift-cards', type: 'code', title: 'Gift cards at the till', stage: 1, minutes: 14, requires: ['code', 'cart'], after: ['cart-totals'], stream: 'cart', priority: -5, branch: 'agents/gift-cards', specs: ['pays a part', 'keeps the rest', 'is spent once'] },
    { name: 'unit-and-contract', type: 'test', title: 'Unit and contract tests', stage: 2, minutes: 5, requires: ['test'], after: ['cart-totals', 'order-events', 'tax-rounding'] },
    { name: 'payment-sandbox', type: 'test', title: 'Payments against the sandbox', stage: 2, minutes: 6, requires: ['test'], after: ['three-d-secure'] },
    { name: 'review-cart', type: 'review', title: 'Review cart and prices', stage: 3, minutes: 4, requires: ['review'], after: ['unit-and-contract'], reviews: 'cart-totals' },
    { name: 'review-payments', type: 'review', title: 'Review payments', stage: 3, minutes: 5, requires: ['review', 'security'], after: ['payment-sandbox'], reviews: 'payment-retries' },
    { name: 'release-notes', type: 'write', title: 'Release notes', stage: 4, minutes: 2.5, requires: ['write'], after: ['review-cart', 'review-payments'] },
    { name: 'deploy-staging', type: 'deploy', title: 'Deploy to staging', stage: 4, minutes: 3.5, requires: ['deploy'], after: ['review-cart', 'review-payments'], priority: 10 },
    { name: 'deploy-production', type: 'deploy', title: 'Deploy to production', stage: 4, minutes: 4, requires: ['deploy'], after: ['deploy-staging', 'release-notes'], priority: 20 },
  ],
}

/** @type {Plan} */
export const NIGHTLY = {
  name: 'nightly-regression',
  title: 'Nightly regression',
  repository: 'acme/storefront',
  stages: ['Images', 'Suites', 'Endurance', 'Report'],
  streams: { suites: 'Regression suites' },
  tasks: [
    { name: 'build-images', type: 'deploy', title: 'Build the images', stage: 0, minutes: 4, requires: ['build'] },
    { name: 'unit-suite', type: 'test', title: 'Unit suite', stage: 1, minutes: 7, requires: ['test'], after: ['build-images'], stream: 'suites' },
    { name: 'contract-suite', type: 'test', title: 'Contract suite', stage: 1, minutes: 6, requires: ['test'], after: ['build-images'], stream: 'suites' },
    { name: 'browser-matrix', type: 'test', title: 'Browser matrix', stage: 1, minutes: 9, requires: ['test', 'browser'], after: ['build-images'], stream: 'suites' },
    { name: 'load-test', type: 'test', title: 'Load test, 800 orders a second', stage: 2, minutes: 8, requires: ['load'], after: ['build-images'] },
    { name: 'soak-test', type: 'test', title: 'Soak test', stage: 2, minutes: 12, requires: ['load'], after: ['load-test'] },
    { name: 'regression-report', type: 'write', title: 'Report of the night', stage: 3, minutes: 3, requires: ['write'], after: ['stream:suites', 'browser-matrix', 'soak-test'] },
  ],
}

/** @type {Plan} */
export const DOCS = {
  name: 'docs-site',
  title: 'Documentation site',
  repository: 'acme/docs',
  stages: ['Outline', 'Pages', 'Check', 'Publish'],
  streams: { pages: 'Pages' },
  own: 'Purge the content network',
  tasks: [
    { name: 'outline', type: 'plan', title: 'Outline of the payment guide', stage: 0, minutes: 3, requires: ['plan'] },
    { name: 'api-reference', type: 'write', title: 'API reference', stage: 1, minutes: 7, requires: ['write'], after: ['outline'], stream: 'pages', branch: 'agents/api-reference' },
    { name: 'quickstart', type: 'write', title: 'Quickstart', stage: 1, minutes: 5, requires: ['write'], after: ['outline'], stream: 'pages', branch: 'agents/quickstart' },
    { name: 'webhook-guide', type: 'write', title: 'Guide to webhooks', stage: 1, minutes: 6, requires: ['write'], after: ['outline'], stream: 'pages', branch: 'agents/webhook-guide' },
    { name: 'link-check', type: 'test', title: 'Check the links', stage: 2, minutes: 3, requires: ['test'], after: ['stream:pages'] },
    { name: 'publish-site', type: 'deploy', title: 'Publish the site', stage: 3, minutes: 3, requires: ['deploy'], after: ['link-check'] },
  ],
}

export const PLANS = [RELEASE, NIGHTLY, DOCS]
