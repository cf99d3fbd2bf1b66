/**
 * GitHub, as the webhook gateway maps it: never the raw payload, only these fields. All are optional, for GitHub leaves
 * out what it likes (deliveries of organisations and apps name no repository), and `status` is the payload's, never the `action`.
 */
import { Type } from 'typebox'
import { fact } from './fact.js'
import { Flag, maybe, orNull, Text, Texts, Time, Whole } from './scalars.js'

const REPO = 'repo:{repository}'
const BRANCH = 'branch:{repository}@{branch}'
const TASK = 'task:{taskId}'
const PULL_REQUESTS = 'pr:{repository}#{prNumbers}'

const delivery = {
  deliveryId: maybe(Text), event: maybe(Text), action: maybe(orNull(Text)), repository: maybe(Text), installationId: maybe(Whole), sender: maybe(Text),
  // Tasks that a trailer `Task: ID` in the pull request or its commits names.
  taskIds: maybe(Texts),
  branch: maybe(Text), sha: maybe(Text), prNumbers: maybe(Type.Array(Whole, { title: 'integer[]' })), occurredAt: maybe(Time), url: maybe(Text),
}

const Review = Type.Object({ id: maybe(Whole), state: maybe(Text), user: maybe(Text) }, { title: '{ id?, state?, user? }' })

export const GITHUB_FACTS = {
  'github.issue_updated': fact('An issue, its comments, labels or milestones changed.', [REPO, 'issue:{repository}#{issueNumber}', TASK], Type.Object({
    ...delivery, issueNumber: maybe(Whole), title: maybe(Text), state: maybe(Text), labels: maybe(Texts), commentId: maybe(Whole),
  })),
  'github.pr_updated': fact('A pull request, its reviews or comments changed.', [REPO, 'pr:{repository}#{prNumber}', PULL_REQUESTS, BRANCH, TASK], Type.Object({
    ...delivery, prNumber: maybe(Whole), title: maybe(Text), state: maybe(Text), draft: maybe(Flag), merged: maybe(orNull(Flag)),
    headRef: maybe(Text), baseRef: maybe(Text), headSha: maybe(Text), review: maybe(Review), commentId: maybe(Whole),
  })),
  'github.workflow_updated': fact(
    'A workflow run, job, check or commit status changed.',
    [REPO, BRANCH, 'workflow_run:{runId}', PULL_REQUESTS, 'pipeline:{pipelineId}'],
    Type.Object({
      ...delivery, kind: maybe(Type.Enum(['workflow_run', 'workflow_job', 'check_run', 'check_suite', 'status', 'workflow_dispatch'])),
      runId: maybe(Whole), jobId: maybe(Whole), name: maybe(Text), status: maybe(Text), conclusion: maybe(orNull(Text)), attempt: maybe(Whole),
    }),
  ),
  'github.push': fact('A branch or tag moved, came or went.', [REPO, BRANCH], Type.Object({
    ...delivery, ref: maybe(Text), refType: maybe(Text), before: maybe(Text), after: maybe(Text), forced: maybe(Flag), commitCount: maybe(Whole),
  })),
  'github.deployment_updated': fact('A deployment or its review changed.', [REPO, BRANCH, 'workflow_run:{runId}'], Type.Object({
    ...delivery, environment: maybe(Text), state: maybe(Text), deploymentId: maybe(Whole), runId: maybe(Whole),
  })),
  'github.event': fact('Anything else that GitHub sends.', [REPO], Type.Object(delivery)),
}
