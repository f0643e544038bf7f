import { useState } from 'react'

import { FormError } from '../../account/FormError'
import { projectsQuery } from '../../api/session'
import { Card } from '../../ui/Card'
import { Field } from '../../ui/Field'
import { changeProject } from '../api'
import { Ask } from '../Ask'
import { Send } from '../Buttons'
import { t } from '../texts'
import { useProject } from '../useProject'
import { useSend } from '../useSend'

/** Whether days keep less than days before; 0 is for ever. */
export const keepsLess = (days: number, before: number) => days > 0 && (before === 0 || days < before)

/** For how long events are kept. A shorter time deletes events, so it is asked about. */
export function RetentionCard() {
  const { id, retention_days: kept } = useProject()
  const [text, setText] = useState(String(kept))
  const days = /^\d+$/.test(text.trim()) ? Number(text) : Number.NaN
  const change = () => changeProject(id, { retention_days: days })
  const send = useSend({
    fields: ['retention_days'],
    check: () => (Number.isNaN(days) ? { retention_days: t.number } : {}),
    send: change,
    keys: [projectsQuery.queryKey],
  })
  return (
    <Card title={t.retention.title}>
      <form onSubmit={send.submit} noValidate className="grid gap-4">
        <div className="max-w-sm">
          <Field
            label={t.retention.label}
            name="retention_days"
            inputMode="numeric"
            autoComplete="off"
            value={text}
            onChange={(e) => setText(e.target.value)}
            hint={t.retention.hint}
            error={send.faults.retention_days}
          />
        </div>
        <FormError error={send.error} />
        {keepsLess(days, kept) ? (
          <div>
            <Ask
              label={t.save}
              title={t.retention.question(days)}
              text={t.retention.warning}
              verb={t.retention.verb}
              run={change}
              keys={[projectsQuery.queryKey]}
            />
          </div>
        ) : (
          <Send pending={send.pending} done={send.done && days === kept} />
        )}
      </form>
    </Card>
  )
}
