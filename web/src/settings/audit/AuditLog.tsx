import { keepPreviousData, queryOptions, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'

import { answer, api, type Schemas } from '../../api/client'
import { Answer } from '../../ui/Answer'
import { Button } from '../../ui/Button'
import { Card } from '../../ui/Card'
import { Rows } from '../../ui/Rows'
import { SkeletonRows } from '../../ui/Skeleton'
import { t } from '../texts'
import { Entry } from './Entry'
import { Filters, type Person } from './Filters'
import { auditSearch, type AuditSearch } from './search'

const LIMIT = 50

const auditQuery = (search: AuditSearch, project?: string) =>
  queryOptions({
    queryKey: ['audit', project ?? '', search],
    queryFn: ({ signal }) => {
      const query = { ...search, limit: LIMIT }
      const asked = project
        ? api.GET('/api/v1/projects/{id}/audit', { params: { path: { id: project }, query }, signal })
        : api.GET('/api/v1/audit', { params: { query }, signal })
      return answer<Schemas['AuditOutputBody']>(asked)
    },
    placeholderData: keepPreviousData,
  })

/** The audit log of a project; without one, of the server. The filters and the page stand in the address. */
export function AuditLog({ project, people }: { project?: string; people: readonly Person[] }) {
  const search = auditSearch(useSearch({ strict: false }))
  const navigate = useNavigate()
  const log = useQuery(auditQuery(search, project))
  // The project that the menu shows stays in the address.
  const show = (next: AuditSearch, replace = false) =>
    void navigate({ to: '.', search: (all) => ({ ...(all.project ? { project: all.project } : {}), ...next }), replace })
  const names = new Map(people.map((p) => [p.id, p.email]))
  const { cursor, ...filters } = search
  return (
    <Card title={t.audit.entries}>
      <div className="grid gap-5">
        <Filters search={search} people={people} onChange={(next) => show(next, true)} />
        <Answer
          query={log}
          skeleton={<SkeletonRows rows={8} />}
          empty={{ when: (page) => page.entries.length === 0, text: t.audit.none }}
        >
          {(page) => (
            <Rows label={t.audit.entries}>
              {page.entries.map((entry) => (
                <Entry key={entry.id} entry={entry} names={names} inProject={project !== undefined} />
              ))}
            </Rows>
          )}
        </Answer>
        {(cursor ?? log.data?.next_cursor) && (
          <div className="flex justify-between gap-2 border-t border-line pt-4">
            {cursor ? <Button onClick={() => show(filters)}>{t.audit.newest}</Button> : <span />}
            {log.data?.next_cursor && (
              <Button disabled={log.isPlaceholderData} onClick={() => show({ ...filters, cursor: log.data.next_cursor! })}>
                {t.audit.older}
              </Button>
            )}
          </div>
        )}
      </div>
    </Card>
  )
}
