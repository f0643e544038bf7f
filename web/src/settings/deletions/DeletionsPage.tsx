import { useQuery } from '@tanstack/react-query'

import type { Schemas } from '../../api/client'
import { Answer } from '../../ui/Answer'
import { Badge } from '../../ui/Badge'
import { Card } from '../../ui/Card'
import { Progress } from '../../ui/Progress'
import { Row, Rows } from '../../ui/Rows'
import { SkeletonRows } from '../../ui/Skeleton'
import { Time } from '../../ui/Time'
import { deletionsQuery } from '../api'
import { Page } from '../Page'
import { t } from '../texts'

type Deletion = Schemas['ProjectDeletionBody']

/** How often progress is asked for while a project is being deleted, milliseconds. */
const LOOK_MS = 2000

const steps: Deletion['step'][] = ['waiting', 'drain', 'cold', 'hot', 'deleted', 'done']

const isGone = ({ step }: Deletion) => step === 'deleted' || step === 'done'

/** Projects that are being deleted, or were. */
export function DeletionsPage() {
  const query = useQuery({ ...deletionsQuery, refetchInterval: ({ state }) => (state.data?.every(isGone) === false ? LOOK_MS : false) })
  return (
    <Page title={t.deletions.title} intro={t.deletions.intro}>
      <Card title={t.deletions.list}>
        <Answer query={query} skeleton={<SkeletonRows rows={2} />} empty={{ when: (all) => all.length === 0, text: t.deletions.none }}>
          {(all) => (
            <Rows label={t.deletions.list}>
              {all.map((deletion) => (
                <DeletionRow key={deletion.project} deletion={deletion} />
              ))}
            </Rows>
          )}
        </Answer>
      </Card>
    </Page>
  )
}

function DeletionRow({ deletion }: { deletion: Deletion }) {
  const gone = isGone(deletion)
  return (
    <Row
      title={
        <>
          {deletion.name} <Badge look={gone ? 'plain' : 'accent'}>{gone ? t.deletions.gone : t.deletions.going}</Badge>
        </>
      }
      facts={
        <>
          <code className="font-mono">{deletion.project}</code>
          <span>
            {t.deletions.asked} <Time at={deletion.requested_at} />
          </span>
          <span>{t.deletions.steps[deletion.step]}</span>
        </>
      }
    >
      {!gone && (
        <div className="mt-2 max-w-sm">
          <Progress label={t.deletions.steps[deletion.step]} percent={(steps.indexOf(deletion.step) / steps.indexOf('deleted')) * 100} />
        </div>
      )}
      {deletion.error && <p className="mt-2 text-sm text-bad">{t.deletions.failed(deletion.error)}</p>}
    </Row>
  )
}
