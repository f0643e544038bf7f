import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'

import { FormError } from '../../account/FormError'
import { answer, api, type Schemas } from '../../api/client'
import { projectsQuery } from '../../api/session'
import { Card } from '../../ui/Card'
import { Choice } from '../../ui/Choice'
import { Field } from '../../ui/Field'
import { tokensQuery, type Scope } from '../api'
import { Send } from '../Buttons'
import { ShownOnce } from '../ShownOnce'
import { t } from '../texts'
import { useSend } from '../useSend'
import { expiries, expiryAfter } from './expiry'
import { ScopeBoxes } from './ScopeBoxes'

type Body = Schemas['OwnTokenInputBody']

const create = (body: Body, project?: string) =>
  project
    ? answer(api.POST('/api/v1/projects/{id}/tokens', { params: { path: { id: project } }, body }))
    : answer(api.POST('/api/v1/tokens', { body }))

const own: Scope[] = ['read', 'persons', 'write', 'admin']

/** Makes a token of a project; without one, one of your own. */
export function NewToken({ project }: { project?: string }) {
  const { data: projects = [] } = useQuery(projectsQuery)
  const [scopes, setScopes] = useState<Scope[]>(['read'])
  const [made, setMade] = useState<string>()
  const send = useSend({
    fields: ['name', 'scopes', 'expires_at', 'project'],
    send: (f) => {
      const expires_at = expiryAfter(f.expires_at, Date.now())
      const body = { name: f.name.trim(), scopes, ...(expires_at ? { expires_at } : {}), ...(f.project ? { project: f.project } : {}) }
      return create(body, project)
    },
    keys: [tokensQuery(project).queryKey],
    clear: true,
    done: ({ token }) => setMade(token),
  })
  return (
    <Card title={t.tokens.new}>
      <div className="grid gap-4">
        {made && <ShownOnce title={t.tokens.made} text={t.tokens.madeText} secret={made} onClose={() => setMade(undefined)} />}
        <form onSubmit={send.submit} noValidate className="grid gap-4">
          <div className="grid gap-4 sm:grid-cols-2">
            <Field label={t.tokens.name} name="name" autoComplete="off" maxLength={100} hint={t.tokens.nameHint} error={send.faults.name} />
            <Choice
              label={t.tokens.expiry}
              name="expires_at"
              defaultValue="90"
              options={expiries.map((days) => [days, days ? t.tokens.days(days) : t.tokens.never])}
              error={send.faults.expires_at}
            />
            {!project && (
              <Choice
                label={t.tokens.project}
                name="project"
                options={[['', t.tokens.allProjects], ...projects.map((p) => [p.id, p.name] as const)]}
                error={send.faults.project}
              />
            )}
          </div>
          <ScopeBoxes scopes={project ? [...own, 'ingest'] : own} chosen={scopes} onChange={setScopes} error={send.faults.scopes} />
          <FormError error={send.error} />
          <Send label={t.tokens.create} pending={send.pending} />
        </form>
      </div>
    </Card>
  )
}
