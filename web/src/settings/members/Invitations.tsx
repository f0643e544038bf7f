import { useQuery } from '@tanstack/react-query'

import { answer, api } from '../../api/client'
import { Answer } from '../../ui/Answer'
import { Badge } from '../../ui/Badge'
import { Card } from '../../ui/Card'
import { Row, Rows } from '../../ui/Rows'
import { SkeletonRows } from '../../ui/Skeleton'
import { Time } from '../../ui/Time'
import { invitationsQuery } from '../api'
import { Ask } from '../Ask'
import { t } from '../texts'

const withdraw = (invitation: string, project?: string) =>
  project
    ? answer(api.DELETE('/api/v1/projects/{id}/invitations/{invitation}', { params: { path: { id: project, invitation } } }))
    : answer(api.DELETE('/api/admin/invitations/{invitation}', { params: { path: { invitation } } }))

/** The open invitations to a project; without one, those of administrators of the server. */
export function Invitations({ project }: { project?: string }) {
  const query = useQuery(invitationsQuery(project))
  return (
    <Card title={t.invite.open}>
      <Answer query={query} skeleton={<SkeletonRows rows={1} />} empty={{ when: (all) => all.length === 0, text: t.invite.none }}>
        {(all) => (
          <Rows label={t.invite.open}>
            {all.map((invitation) => (
              <Row
                key={invitation.id}
                title={
                  <>
                    {invitation.email} {invitation.role && <Badge>{t.roles[invitation.role]}</Badge>}
                  </>
                }
                facts={
                  <span>
                    {t.invite.until} <Time at={invitation.expires_at} />
                  </span>
                }
                actions={
                  <Ask
                    label={t.invite.withdraw}
                    title={t.invite.withdrawTitle(invitation.email)}
                    text={t.invite.withdrawText}
                    verb={t.invite.withdraw}
                    run={() => withdraw(invitation.id, project)}
                    keys={[invitationsQuery(project).queryKey]}
                  />
                }
              />
            ))}
          </Rows>
        )}
      </Answer>
    </Card>
  )
}
