import { useState } from 'react'

import { FormError } from '../../account/FormError'
import { projectsQuery } from '../../api/session'
import { Card } from '../../ui/Card'
import { Choice } from '../../ui/Choice'
import { Field } from '../../ui/Field'
import { changeProject, usageQuery } from '../api'
import { Send } from '../Buttons'
import { Page } from '../Page'
import { t } from '../texts'
import { useProject } from '../useProject'
import { useSend } from '../useSend'
import { UsageCard } from './UsageCard'

export function LimitsPage() {
  const { id } = useProject()
  return (
    <Page title={t.limits.title} intro={t.limits.intro}>
      <UsageCard project={id} />
      <LimitsCard key={id} />
    </Page>
  )
}

const policies = ['refuse', 'sample', 'flag'] as const

const isWhole = (text: string) => /^\d+$/.test(text.trim())

function LimitsCard() {
  const { id, ...set } = useProject()
  const [over, setOver] = useState(set.over)
  const send = useSend({
    fields: ['limit_key', 'limit_ip', 'quota', 'sample'],
    check: (f) => ({
      ...(isWhole(f.quota) ? {} : { quota: t.number }),
      ...(f.sample === undefined || isWhole(f.sample) ? {} : { sample: t.number }),
    }),
    send: (f) =>
      changeProject(id, {
        limit_key: f.limit_key.trim(),
        limit_ip: f.limit_ip.trim(),
        quota: Number(f.quota),
        over,
        ...(over === 'sample' ? { sample: Number(f.sample) } : {}),
      }),
    keys: [projectsQuery.queryKey, usageQuery(id).queryKey],
  })
  return (
    <Card title={t.limits.set}>
      <form onSubmit={send.submit} noValidate className="grid gap-5">
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t.limits.key} name="limit_key" placeholder="1000/s" autoComplete="off" defaultValue={set.limit_key} hint={t.limits.keyHint} error={send.faults.limit_key} />
          <Field label={t.limits.ip} name="limit_ip" placeholder="600/m" autoComplete="off" defaultValue={set.limit_ip} hint={t.limits.ipHint} error={send.faults.limit_ip} />
          <Field label={t.limits.quota} name="quota" inputMode="numeric" autoComplete="off" defaultValue={set.quota} hint={t.limits.quotaHint} error={send.faults.quota} />
          <Choice
            label={t.limits.over}
            value={over}
            onChange={(e) => setOver(policies.find((p) => p === e.target.value)!)}
            options={policies.map((p) => [p, t.limits.overs[p]])}
            hint={t.limits.overHints[over]}
          />
          {over === 'sample' && (
            <Field label={t.limits.sample} name="sample" inputMode="numeric" autoComplete="off" defaultValue={set.sample} hint={t.limits.sampleHint} error={send.faults.sample} />
          )}
        </div>
        <FormError error={send.error} />
        <Send pending={send.pending} done={send.done} />
      </form>
    </Card>
  )
}
