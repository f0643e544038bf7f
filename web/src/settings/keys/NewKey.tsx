import { FormError } from '../../account/FormError'
import { answer, api } from '../../api/client'
import { Card } from '../../ui/Card'
import { TextArea } from '../../ui/TextArea'
import { keysQuery } from '../api'
import { Send } from '../Buttons'
import { linesOf } from '../lines'
import { t } from '../texts'
import { useSend } from '../useSend'

export function NewKey({ project, onMade }: { project: string; onMade: (key: string) => void }) {
  const send = useSend({
    fields: ['origins'],
    send: (f) => answer(api.POST('/api/v1/projects/{id}/keys', { params: { path: { id: project } }, body: { origins: linesOf(f.origins) } })),
    keys: [keysQuery(project).queryKey],
    clear: true,
    done: (made) => onMade(made.write_key),
  })
  return (
    <Card title={t.keys.new}>
      <form onSubmit={send.submit} noValidate className="grid gap-4">
        <TextArea label={t.keys.origins} name="origins" rows={3} spellCheck={false} hint={t.keys.originsHint} error={send.faults.origins} />
        <FormError error={send.error} />
        <Send label={t.keys.create} pending={send.pending} />
      </form>
    </Card>
  )
}
