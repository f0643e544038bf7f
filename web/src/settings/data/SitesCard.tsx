import { FormError } from '../../account/FormError'
import { projectsQuery } from '../../api/session'
import { Card } from '../../ui/Card'
import { TextArea } from '../../ui/TextArea'
import { changeProject } from '../api'
import { Send } from '../Buttons'
import { linesOf } from '../lines'
import { t } from '../texts'
import { useProject } from '../useProject'
import { useSend } from '../useSend'

export function SitesCard() {
  const { id, sites } = useProject()
  const send = useSend({
    fields: ['sites'],
    send: (f) => changeProject(id, { sites: linesOf(f.sites) }),
    keys: [projectsQuery.queryKey],
  })
  return (
    <Card title={t.sites.title}>
      <form onSubmit={send.submit} noValidate className="grid gap-4">
        <p className="max-w-2xl text-sm text-muted">{t.sites.text}</p>
        <TextArea label={t.sites.label} name="sites" spellCheck={false} defaultValue={sites.join('\n')} placeholder="shop.example" hint={t.sites.hint} error={send.faults.sites} />
        <FormError error={send.error} />
        <Send pending={send.pending} done={send.done} />
      </form>
    </Card>
  )
}
