import { FormError } from '../../account/FormError'
import { projectsQuery } from '../../api/session'
import { Card } from '../../ui/Card'
import { Field } from '../../ui/Field'
import { changeProject } from '../api'
import { Send } from '../Buttons'
import { Page } from '../Page'
import { t } from '../texts'
import { useProject } from '../useProject'
import { useSend } from '../useSend'
import { DeleteCard } from './DeleteCard'
import { TimezoneCard } from './TimezoneCard'

export function GeneralPage() {
  const project = useProject()
  return (
    <Page title={t.general.title}>
      <NameCard key={`name ${project.id}`} />
      <TimezoneCard key={`zone ${project.id}`} />
      <DeleteCard key={`delete ${project.id}`} />
    </Page>
  )
}

function NameCard() {
  const { id, name } = useProject()
  const send = useSend({
    fields: ['name'],
    send: (f) => changeProject(id, { name: f.name.trim() }),
    keys: [projectsQuery.queryKey],
  })
  return (
    <Card title={t.general.name}>
      <form onSubmit={send.submit} noValidate className="grid max-w-sm gap-4">
        <Field label={t.general.nameLabel} name="name" autoComplete="off" defaultValue={name} maxLength={100} error={send.faults.name} />
        <FormError error={send.error} />
        <Send pending={send.pending} done={send.done} />
      </form>
      <p className="mt-4 border-t border-line pt-4 text-sm text-muted">
        {t.general.id} <code className="font-mono text-ink select-all">{id}</code>
      </p>
    </Card>
  )
}
