import { useQuery } from '@tanstack/react-query'

import { useFormat } from '../../formatContext'
import { Answer } from '../../ui/Answer'
import { Badge } from '../../ui/Badge'
import { Card } from '../../ui/Card'
import { Progress } from '../../ui/Progress'
import { Skeleton } from '../../ui/Skeleton'
import { Time } from '../../ui/Time'
import { usageQuery } from '../api'
import { t } from '../texts'

/** What the project has used of its quota this month. */
export function UsageCard({ project }: { project: string }) {
  const usage = useQuery(usageQuery(project))
  const format = useFormat()
  return (
    <Card title={t.usage.title} note={usage.data?.month}>
      <Answer query={usage} skeleton={<Skeleton className="h-16" />}>
        {(u) => (
          <div className="grid gap-3">
            <p className="flex flex-wrap items-baseline gap-x-2">
              <span className="text-2xl font-semibold tracking-tight tabular-nums">{format.number(u.used)}</span>
              <span className="text-muted">{u.quota ? t.usage.of(format.number(u.quota)) : t.usage.events}</span>
              {u.used_up && <Badge look="bad">{t.usage.usedUp}</Badge>}
            </p>
            {u.quota > 0 && <Progress label={t.usage.title} percent={(u.used / u.quota) * 100} full={u.used_up} />}
            <p className="flex flex-wrap gap-x-4 text-sm text-muted">
              <span>
                {t.usage.until} <Time at={u.to} to="date" />
              </span>
              {(['refused', 'sampled_out', 'flagged', 'rate_limited', 'address_filtered', 'bots_dropped'] as const).map(
                (what) => u[what] > 0 && <span key={what}>{t.usage.what[what](format.number(u[what]))}</span>,
              )}
            </p>
          </div>
        )}
      </Answer>
    </Card>
  )
}
