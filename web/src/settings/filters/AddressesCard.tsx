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

/** Addresses and networks whose events are left out. */
export function AddressesCard() {
  const { id, address_filters: set = [] } = useProject()
  const send = useSend({
    fields: ['address_filters'],
    send: (f) => changeProject(id, { address_filters: linesOf(f.address_filters) }),
    keys: [projectsQuery.queryKey],
  })
  return (
    <Card title={t.filters.addresses}>
      <form onSubmit={send.submit} noValidate className="grid gap-4">
        <p className="max-w-2xl text-sm text-muted">{t.filters.addressesText}</p>
        <TextArea
          label={t.filters.addressesLabel}
          name="address_filters"
          spellCheck={false}
          defaultValue={set.join('\n')}
          placeholder="203.0.113.0/24"
          hint={t.filters.addressesHint}
          error={send.faults.address_filters}
        />
        <FormError error={send.error} />
        <Send pending={send.pending} done={send.done} />
      </form>
    </Card>
  )
}
