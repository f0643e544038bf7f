import { useMutation, useQuery, useQueryClient, useSuspenseQuery } from '@tanstack/react-query'

import { FormError } from '../../account/FormError'
import { answer, api, type Schemas } from '../../api/client'
import { projectsQuery, sessionQuery } from '../../api/session'
import { Answer } from '../../ui/Answer'
import { Badge } from '../../ui/Badge'
import { Card } from '../../ui/Card'
import { Row, Rows } from '../../ui/Rows'
import { SkeletonRows } from '../../ui/Skeleton'
import { membersQuery, type Role } from '../api'
import { Ask } from '../Ask'
import { t } from '../texts'
import { RoleSelect } from './RoleSelect'

export function MemberList({ project }: { project: string }) {
  const members = useQuery(membersQuery(project))
  return (
    <Card title={t.members.list}>
      <Answer query={members} skeleton={<SkeletonRows rows={3} />} empty={{ when: (all) => all.length === 0, text: t.members.none }}>
        {(all) => (
          <Rows label={t.members.list}>
            {all.map((member) => (
              <Member key={member.id} project={project} member={member} />
            ))}
          </Rows>
        )}
      </Answer>
    </Card>
  )
}

function Member({ project, member }: { project: string; member: Schemas['MemberBody'] }) {
  const queries = useQueryClient()
  const { data: session } = useSuspenseQuery(sessionQuery)
  const self = session.user?.id === member.id
  const params = { path: { id: project, user: member.id } }
  // Who changes their own role may not do the same afterwards.
  const keys = [membersQuery(project).queryKey, ...(self ? [projectsQuery.queryKey] : [])]
  const change = useMutation({
    mutationFn: (role: Role) => answer(api.PATCH('/api/v1/projects/{id}/members/{user}', { params, body: { role } })),
    onSuccess: () => Promise.all(keys.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  })
  return (
    <Row
      title={
        <>
          {member.name} {self && <Badge look="accent">{t.members.self}</Badge>}
        </>
      }
      facts={<span>{member.email}</span>}
      actions={
        <>
          <RoleSelect
            label={t.members.roleOf(member.email)}
            role={change.isPending ? change.variables : member.role}
            disabled={change.isPending}
            onChange={change.mutate}
          />
          <Ask
            label={self ? t.members.leave : t.members.remove}
            title={self ? t.members.leaveTitle : t.members.removeTitle(member.email)}
            text={t.members.removeText}
            verb={self ? t.members.leave : t.members.remove}
            run={() => answer(api.DELETE('/api/v1/projects/{id}/members/{user}', { params }))}
            keys={keys}
          />
        </>
      }
    >
      {change.error && (
        <div className="mt-2">
          <FormError error={change.error} />
        </div>
      )}
    </Row>
  )
}
