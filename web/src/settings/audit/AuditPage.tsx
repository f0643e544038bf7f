import { useQuery } from '@tanstack/react-query'

import { membersQuery, usersQuery } from '../api'
import { Page } from '../Page'
import { t } from '../texts'
import { useProject } from '../useProject'
import { AuditLog } from './AuditLog'

/** What was done on the server. */
export function ServerAuditPage() {
  const { data = [] } = useQuery(usersQuery)
  return (
    <Page title={t.audit.title} intro={t.audit.serverIntro}>
      <AuditLog people={data} />
    </Page>
  )
}

/** What was done to a project. */
export function ProjectAuditPage() {
  const { id } = useProject()
  const { data = [] } = useQuery(membersQuery(id))
  return (
    <Page title={t.audit.title} intro={t.audit.intro}>
      <AuditLog project={id} people={data} />
    </Page>
  )
}
