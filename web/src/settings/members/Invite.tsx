import { useState } from 'react'

import { FormError } from '../../account/FormError'
import { answer, api } from '../../api/client'
import { m } from '../../messages'
import { Card } from '../../ui/Card'
import { Choice } from '../../ui/Choice'
import { Field } from '../../ui/Field'
import { invitationsQuery, type NewLink, type Role } from '../api'
import { Send } from '../Buttons'
import { ShownOnce } from '../ShownOnce'
import { t } from '../texts'
import { useSend } from '../useSend'
import { roles } from './RoleSelect'

const invite = (email: string, role: Role | undefined, project?: string): Promise<NewLink> =>
  project && role
    ? answer(api.POST('/api/v1/projects/{id}/invitations', { params: { path: { id: project } }, body: { email, role } }))
    : answer(api.POST('/api/admin/invitations', { body: { email } }))

/** Invites somebody to a project; without one, to be an administrator of the server. */
export function Invite({ project }: { project?: string }) {
  const [made, setMade] = useState<NewLink>()
  const send = useSend({
    fields: ['email', 'role'],
    send: (f) => invite(f.email.trim(), roles.find((r) => r === f.role), project),
    keys: [invitationsQuery(project).queryKey],
    clear: true,
    done: setMade,
  })
  return (
    <Card title={project ? t.invite.title : t.invite.adminTitle}>
      <div className="grid gap-4">
        {made && (
          <ShownOnce
            title={t.invite.made}
            text={made.mailed ? t.invite.mailed : t.invite.notMailed}
            secret={made.url}
            onClose={() => setMade(undefined)}
          />
        )}
        <form onSubmit={send.submit} noValidate className="grid gap-4">
          <div className={`grid gap-4 ${project ? 'sm:grid-cols-[1fr_minmax(12rem,20rem)]' : ''}`}>
            <Field label={m.account.email} name="email" type="email" autoComplete="off" hint={project ? t.invite.hint : t.invite.adminHint} error={send.faults.email} />
            {project && (
              <Choice
                label={t.invite.role}
                name="role"
                defaultValue="viewer"
                options={roles.map((r) => [r, t.roleTexts[r]])}
                error={send.faults.role}
              />
            )}
          </div>
          <FormError error={send.error} />
          <Send label={t.invite.submit} pending={send.pending} />
        </form>
      </div>
    </Card>
  )
}
